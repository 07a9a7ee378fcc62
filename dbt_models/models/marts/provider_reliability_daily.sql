select
    provider,
    host,
    (requested_at at time zone 'utc')::date as day,
    count(*) as requests,
    count(error_class) as failures,
    100.0 * count(error_class) / count(*) as failure_pct,
    count(*) filter (where http_status in (418, 429)) as limited,
    count(*) filter (where attempt > 1) as repeated,
    percentile_disc(0.5) within group (order by duration_ms)::bigint as latency_p50_ms,
    percentile_disc(0.95) within group (order by duration_ms)::bigint as latency_p95_ms,
    sum(bytes)::bigint as bytes,
    sum(row_count)::bigint as row_count,
    mode() within group (order by error_class) as commonest_error_class
from {{ source('market', 'fetches') }}
where {{ instant_is_built('requested_at') }}
group by 1, 2, 3
