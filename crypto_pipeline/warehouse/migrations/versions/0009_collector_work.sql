-- Dagster makes its tables at its own first start, long after this: they are looked for at each call.
create function warehouse.schedule_ticks()
    returns table (
        tick_id bigint, schedule text, expected_at timestamptz, actual_at timestamptz,
        ended_at timestamptz, status text, said text
    )
    language plpgsql stable
    -- Readers of collector may not read Dagster's tables.
    security definer
    set search_path = pg_catalog
    rows 10000
    as $$
begin
    if to_regclass('dagster.job_ticks') is null or to_regclass('dagster.runs') is null then
        return;
    end if;
    return query execute $ticks$
        select
            tick.id,
            tick.body ->> 'job_name',
            to_timestamp((tick.body ->> 'timestamp')::double precision),
            to_timestamp(runs.start_time),
            to_timestamp((tick.body ->> 'end_timestamp')::double precision),
            tick.status::text,
            coalesce(tick.body ->> 'skip_reason', tick.body -> 'error' ->> 'message')
        from (
            select id, status, tick_body::jsonb as body
            from dagster.job_ticks
            where type = 'SCHEDULE'
            offset 0
        ) as tick
        left join dagster.runs on runs.run_id = tick.body -> 'run_ids' ->> 0
    $ticks$;
end
$$;
comment on function warehouse.schedule_ticks is
    'What Dagster recorded of each tick of a schedule, and when its run began; nothing before Dagster''s first start.';

create function warehouse.schedules()
    returns table (schedule_id bigint, schedule text, cron text, is_on boolean)
    language plpgsql stable
    security definer
    set search_path = pg_catalog
    rows 10
    as $$
begin
    if to_regclass('dagster.instigators') is null then
        return;
    end if;
    return query execute $schedules$
        select
            id,
            body -> 'origin' ->> 'job_name',
            body -> 'job_specific_data' ->> 'cron_schedule',
            status <> 'STOPPED'
        from (
            select id, status, instigator_body::jsonb as body
            from dagster.instigators
            where instigator_type = 'SCHEDULE'
            offset 0
        ) as known
    $schedules$;
end
$$;
comment on function warehouse.schedules is
    'The schedules that Dagster has a state of; none before its first start.';

create view warehouse.newest_sources as
select
    series.dataset,
    series.name as series,
    loads.source,
    loads.fetched_at
from warehouse.series
cross join lateral (
    (
        select kept.load_id
        from warehouse.market_prices as kept
        where series.dataset = 'market_prices' and kept.series_id = series.series_id
        order by kept.slot desc
        limit 1
    )
    union all
    (
        select kept.load_id
        from warehouse.sentiment as kept
        where series.dataset = 'sentiment' and kept.series_id = series.series_id
        order by kept.slot desc
        limit 1
    )
    union all
    (
        select kept.load_id
        from warehouse.gas_prices as kept
        where series.dataset = 'gas_prices' and kept.series_id = series.series_id
        order by kept.slot desc
        limit 1
    )
) as newest
join warehouse.loads using (load_id);
comment on view warehouse.newest_sources is
    'Who told the newest value of each series that several can tell.';

create view warehouse.source_changes as
select
    dataset,
    former,
    source,
    fetched_at,
    min(series_id) as series_id,
    string_agg(name, ', ' order by name) as series
from (
    select
        series.dataset,
        series.series_id,
        series.name,
        loads.source,
        loads.fetched_at,
        lag(loads.source) over (partition by series.series_id order by kept.slot) as former
    from (
        select series_id, slot, load_id
        from warehouse.market_prices
        where slot > now() - interval '30 days'
        union all
        select series_id, slot, load_id
        from warehouse.sentiment
        where slot > now() - interval '30 days'
        union all
        select series_id, slot, load_id
        from warehouse.gas_prices
        where slot > now() - interval '30 days'
    ) as kept
    join warehouse.series using (series_id)
    join warehouse.loads using (load_id)
) as told
where former <> source
group by dataset, former, source, fetched_at;
comment on view warehouse.source_changes is
    'Where a series'' value of the last 30 days came from another provider than the one before it.';

create view warehouse.asked_providers as
select
    coalesce(series.dataset, told.dataset) as dataset,
    asked.provider,
    sum(asked.requests)::bigint as requests,
    sum(asked.failures)::bigint as failures,
    min(asked.first_at) as first_at,
    max(asked.last_at) as last_at
from (
    select
        provider,
        series,
        count(*) as requests,
        count(error_class) as failures,
        min(requested_at) as first_at,
        max(requested_at) as last_at
    from warehouse.fetches
    group by provider, series
) as asked
left join (
    select name, min(dataset) as dataset
    from warehouse.series
    group by name
) as series on series.name = asked.series
-- A request for several series names none: it is of the one dataset that its provider tells now.
left join (
    select source, min(dataset) as dataset
    from warehouse.newest_sources
    group by source
    having count(distinct dataset) = 1
) as told on told.source = asked.provider and asked.series is null
group by coalesce(series.dataset, told.dataset), asked.provider;
comment on view warehouse.asked_providers is
    'Who was asked for what, as the fetch log has it; the dataset is null where the log does not tell.';

create view collector.providers as
select
    warehouse.name_id(known.provider) as id,
    known.provider as name,
    asked.datasets as category,
    health.host as endpoint_url,
    null::boolean as requires_key,
    null::text as api_key_masked,
    'weight per minute' as rate_limit_type,
    health.weight_limit as rate_limit_value,
    null::integer as timeout_ms,
    ranked.trust + 1 as priority_tier,
    asked.first_at as created_at,
    greatest(asked.last_at, health.last_success_at, health.last_failure_at) as updated_at
from (
    select provider
    from warehouse.provider_health
    union
    select provider
    from warehouse.fetches
) as known
left join (
    select distinct on (provider)
        provider, host, weight_limit, last_success_at, last_failure_at
    from warehouse.provider_health
    order by provider, last_success_at desc nulls last
) as health using (provider)
left join (
    select
        provider,
        string_agg(dataset, ',' order by dataset) as datasets,
        min(first_at) as first_at,
        max(last_at) as last_at
    from warehouse.asked_providers
    group by provider
) as asked using (provider)
left join (
    select source, min(trust)::integer as trust
    from warehouse.loads
    where load_id > (select max(load_id) - 20000 from warehouse.loads)
    group by source
) as ranked on ranked.source = known.provider;
comment on view collector.providers is
    'Who was ever asked: one row per provider, as the fetch log and the record of its health have it.';
comment on column collector.providers.id is 'Its number, made from its name';
comment on column collector.providers.name is 'What it is called here, like binance';
comment on column collector.providers.category is
    'The datasets it was asked for, with commas; null where the log does not tell';
comment on column collector.providers.endpoint_url is 'Where it answered last: the address without its scheme';
comment on column collector.providers.requires_key is
    'Null: the database does not know; crypto-pipeline providers tells';
comment on column collector.providers.api_key_masked is 'Null: keys are never stored';
comment on column collector.providers.rate_limit_type is 'What its limit counts';
comment on column collector.providers.rate_limit_value is
    'The weight we allow ourselves a minute; null where it was not asked yet';
comment on column collector.providers.timeout_ms is 'Null: the database does not know';
comment on column collector.providers.priority_tier is
    '1 is asked first, as its newest answers were ranked; null where none was stored';
comment on column collector.providers.created_at is 'The oldest request in the log, UTC';
comment on column collector.providers.updated_at is 'The newest request, UTC';

create view collector.connection_attempts as
select
    fetch_id as id,
    requested_at as timestamp,
    warehouse.name_id(provider) as provider_id,
    host || path as endpoint,
    case
        when error_class is null then 'success'
        when error_class = 'RateLimited' then 'rate_limited'
        else 'failed'
    end as status,
    duration_ms as response_time_ms,
    http_status::integer as http_status_code,
    error_class as error_type,
    error as error_message,
    attempt - 1 as retry_count,
    case when attempt > 1 then case when error_class is null then 'success' else 'failed' end end
        as retry_result
from warehouse.fetches;
comment on view collector.connection_attempts is 'Every request to a provider and its outcome: one row per try.';
comment on column collector.connection_attempts.id is 'Its number';
comment on column collector.connection_attempts.timestamp is 'When it was sent, UTC';
comment on column collector.connection_attempts.provider_id is 'Who was asked, as in providers';
comment on column collector.connection_attempts.endpoint is 'Where and what for, without scheme and query string';
comment on column collector.connection_attempts.status is 'success, rate_limited or failed';
comment on column collector.connection_attempts.response_time_ms is
    'Time to the whole reply, or to the failure (ms)';
comment on column collector.connection_attempts.http_status_code is
    'The status of the reply; null where none came';
comment on column collector.connection_attempts.error_type is 'What kind of failure it was; null for an answer';
comment on column collector.connection_attempts.error_message is 'What went wrong, without query strings and keys';
comment on column collector.connection_attempts.retry_count is 'Tries of the same request before this one';
comment on column collector.connection_attempts.retry_result is
    'success or failed, where it was not the first try';

create view collector.data_collections as
select
    fetch_id as id,
    warehouse.name_id(provider) as provider_id,
    (select min(series.dataset) from warehouse.series where series.name = fetches.series) as category,
    case when upper(asked) > requested_at then lower(asked) else upper(asked) end as scheduled_time,
    requested_at as actual_fetch_time,
    least(upper(asked), requested_at) as data_timestamp,
    (extract(epoch from requested_at - least(upper(asked), requested_at)) / 60)::double precision
        as staleness_minutes,
    row_count as record_count,
    bytes as payload_size_bytes,
    null::double precision as data_quality_score,
    upper(asked) > requested_at - interval '15 minutes' as on_schedule,
    coalesce(error, error_class) as skip_reason
from warehouse.fetches;
comment on view collector.data_collections is
    'What was asked for and what came: one row per request, as the fetch log has it.';
comment on column collector.data_collections.id is 'Its number, as in connection_attempts';
comment on column collector.data_collections.provider_id is 'Who was asked, as in providers';
comment on column collector.data_collections.category is
    'The dataset; null for a request for several series at once';
comment on column collector.data_collections.scheduled_time is
    'When what it asked for was due: the window''s end, or its begin where it was not over, UTC';
comment on column collector.data_collections.actual_fetch_time is 'When it was sent, UTC';
comment on column collector.data_collections.data_timestamp is
    'The end of the window asked for, or the present, UTC';
comment on column collector.data_collections.staleness_minutes is 'From then to when it was asked for (minutes)';
comment on column collector.data_collections.record_count is 'Rows in the answer';
comment on column collector.data_collections.payload_size_bytes is 'Size of the body (bytes)';
comment on column collector.data_collections.data_quality_score is
    'Null: rows are valid or set aside, not scored; market.coverage has the completeness';
comment on column collector.data_collections.on_schedule is
    'Whether it asked for what was due in the last 15 minutes; others fill history';
comment on column collector.data_collections.skip_reason is 'Why nothing came; null where something did';

create view collector.rate_limit_usage as
select
    warehouse.name_id(provider || ' ' || host) as id,
    greatest(last_success_at, last_failure_at) as timestamp,
    warehouse.name_id(provider) as provider_id,
    'weight per minute' as limit_type,
    weight_limit as limit_value,
    used_weight as current_usage,
    (100.0 * used_weight / nullif(weight_limit, 0))::double precision as percentage,
    date_trunc('minute', greatest(last_success_at, last_failure_at)) + interval '1 minute' as reset_time
from warehouse.provider_health
where used_weight is not null;
comment on view collector.rate_limit_usage is
    'How much of its limit each host said was used, newest: one row per provider and host.';
comment on column collector.rate_limit_usage.id is 'Its number, made from both names';
comment on column collector.rate_limit_usage.timestamp is 'The newest request, UTC';
comment on column collector.rate_limit_usage.provider_id is 'Who was asked, as in providers';
comment on column collector.rate_limit_usage.limit_type is 'What the limit counts';
comment on column collector.rate_limit_usage.limit_value is 'The weight we allow ourselves a minute';
comment on column collector.rate_limit_usage.current_usage is 'The weight used in that minute, as the host said';
comment on column collector.rate_limit_usage.percentage is 'The same of the limit (percent)';
comment on column collector.rate_limit_usage.reset_time is 'The end of that minute, UTC';

create view collector.schedule_config as
select
    known.schedule_id as id,
    null::integer as provider_id,
    known.cron as schedule_interval,
    known.is_on as enabled,
    ticks.last_run,
    case when known.is_on then ticks.last_run + (ticks.last_run - ticks.run_before) end as next_run,
    coalesce(ticks.on_time, 0) as on_time_count,
    coalesce(ticks.late, 0) as late_count,
    coalesce(ticks.skipped, 0) as skip_count
from warehouse.schedules() as known
left join (
    select
        schedule,
        max(expected_at) as last_run,
        (array_agg(expected_at order by expected_at desc))[2] as run_before,
        count(*) filter (where actual_at - expected_at <= interval '1 minute')::integer as on_time,
        count(*) filter (where actual_at - expected_at > interval '1 minute')::integer as late,
        count(*) filter (where status in ('SKIPPED', 'FAILURE'))::integer as skipped
    from warehouse.schedule_ticks()
    group by schedule
) as ticks using (schedule);
comment on view collector.schedule_config is
    'The schedules: one row each, as Dagster recorded them in the last 30 days; empty before its first start.';
comment on column collector.schedule_config.id is 'Dagster''s number';
comment on column collector.schedule_config.provider_id is 'Null: a schedule asks all providers';
comment on column collector.schedule_config.schedule_interval is 'When it runs, as a cron expression in UTC';
comment on column collector.schedule_config.enabled is 'Whether it is on';
comment on column collector.schedule_config.last_run is 'The newest time it was due, UTC';
comment on column collector.schedule_config.next_run is
    'As long after that as that after the one before, UTC; null while it is off';
comment on column collector.schedule_config.on_time_count is 'Runs that began within a minute';
comment on column collector.schedule_config.late_count is 'Runs that began later';
comment on column collector.schedule_config.skip_count is 'Times it started nothing';

create view collector.schedule_compliance as
select
    tick_id as id,
    null::integer as provider_id,
    expected_at as expected_time,
    actual_at as actual_time,
    extract(epoch from actual_at - expected_at)::integer as delay_seconds,
    coalesce(actual_at - expected_at <= interval '1 minute', false) as on_time,
    said as skip_reason,
    coalesce(ended_at, expected_at) as timestamp
from warehouse.schedule_ticks();
comment on view collector.schedule_compliance is
    'Each time a schedule was due, as Dagster recorded it, and when its run began; kept for 30 days.';
comment on column collector.schedule_compliance.id is 'Dagster''s number';
comment on column collector.schedule_compliance.provider_id is 'Null: a schedule asks all providers';
comment on column collector.schedule_compliance.expected_time is 'When it was due, UTC';
comment on column collector.schedule_compliance.actual_time is 'When its run began, UTC; null where none did';
comment on column collector.schedule_compliance.delay_seconds is 'From the one to the other (s)';
comment on column collector.schedule_compliance.on_time is 'Whether its run began within a minute';
comment on column collector.schedule_compliance.skip_reason is 'Why it started nothing';
comment on column collector.schedule_compliance.timestamp is 'When that was noted, UTC';

create view collector.failure_logs as
select
    fetch_id as id,
    requested_at as timestamp,
    warehouse.name_id(provider) as provider_id,
    host || path as endpoint,
    error_class as error_type,
    error as error_message,
    http_status::integer as http_status,
    attempt > 1 as retry_attempted,
    case when attempt > 1 then 'failed' end as retry_result,
    null::text as remediation_applied
from warehouse.fetches
where error_class is not null;
comment on view collector.failure_logs is 'Every request that failed: one row per try.';
comment on column collector.failure_logs.id is 'Its number, as in connection_attempts';
comment on column collector.failure_logs.timestamp is 'When it was sent, UTC';
comment on column collector.failure_logs.provider_id is 'Who was asked, as in providers';
comment on column collector.failure_logs.endpoint is 'Where and what for, without scheme and query string';
comment on column collector.failure_logs.error_type is 'What kind of failure it was';
comment on column collector.failure_logs.error_message is 'What went wrong, without query strings and keys';
comment on column collector.failure_logs.http_status is 'The status of the reply; null where none came';
comment on column collector.failure_logs.retry_attempted is 'Whether it was itself another try';
comment on column collector.failure_logs.retry_result is 'failed, where it was another try';
comment on column collector.failure_logs.remediation_applied is
    'Null: nothing is done by hand, it is asked for again later';

create view collector.alerts as
select
    null::integer as id,
    null::timestamptz as timestamp,
    null::integer as provider_id,
    null::text as alert_type,
    null::text as severity,
    null::text as message,
    null::boolean as acknowledged,
    null::timestamptz as acknowledged_at
where false;
comment on view collector.alerts is 'Empty: there are no alerts yet.';
comment on column collector.alerts.id is 'Its number';
comment on column collector.alerts.timestamp is 'When, UTC';
comment on column collector.alerts.provider_id is 'Whom it is about';
comment on column collector.alerts.alert_type is 'What it is about';
comment on column collector.alerts.severity is 'How bad it is';
comment on column collector.alerts.message is 'What it says';
comment on column collector.alerts.acknowledged is 'Whether somebody has seen it';
comment on column collector.alerts.acknowledged_at is 'When, UTC';

create view collector.system_metrics as
select
    (extract(epoch from hour) / 3600)::integer as id,
    max(last_at) as timestamp,
    count(*)::integer as total_providers,
    count(*) filter (where failures = 0)::integer as online_count,
    count(*) filter (where failures > 0 and failures < requests)::integer as degraded_count,
    count(*) filter (where failures = requests)::integer as offline_count,
    (sum(spent_ms) / sum(requests))::double precision as avg_response_time_ms,
    sum(requests)::integer as total_requests_hour,
    sum(failures)::integer as total_failures_hour,
    case
        when sum(failures) = 0 then 'healthy'
        when sum(failures) < sum(requests) then 'degraded'
        else 'unhealthy'
    end as system_health
from (
    select
        date_trunc('hour', requested_at) as hour,
        provider,
        count(*) as requests,
        count(error_class) as failures,
        sum(duration_ms) as spent_ms,
        max(requested_at) as last_at
    from warehouse.fetches
    group by date_trunc('hour', requested_at), provider
) as asked
group by hour;
comment on view collector.system_metrics is 'How the providers did, by the hour, as the fetch log has it.';
comment on column collector.system_metrics.id is 'The hour''s number since 1970';
comment on column collector.system_metrics.timestamp is 'The newest request of the hour, UTC';
comment on column collector.system_metrics.total_providers is 'How many were asked';
comment on column collector.system_metrics.online_count is 'Of these, those that answered everything';
comment on column collector.system_metrics.degraded_count is 'Those that answered some of it';
comment on column collector.system_metrics.offline_count is 'Those that answered nothing';
comment on column collector.system_metrics.avg_response_time_ms is 'Mean time to a reply or a failure (ms)';
comment on column collector.system_metrics.total_requests_hour is 'Requests sent';
comment on column collector.system_metrics.total_failures_hour is 'Requests that failed';
comment on column collector.system_metrics.system_health is
    'healthy: no request failed; degraded: some did; unhealthy: all did';

create view collector.source_pools as
select
    warehouse.name_id(kept.dataset) as id,
    kept.dataset as name,
    kept.dataset as category,
    case kept.dataset
        when 'ohlc' then 'Closed candles of spot markets'
        when 'market_prices' then 'What assets cost, over all markets'
        when 'sentiment' then 'How the market feels'
        when 'gas_prices' then 'What a transaction costs'
        when 'news' then 'Articles about crypto'
    end as description,
    case when kept.dataset in ('ohlc', 'news') then 'none' else 'priority' end as rotation_strategy,
    kept.enabled,
    asked.first_at as created_at,
    asked.last_at as updated_at
from (
    select dataset, bool_or(is_active) as enabled
    from warehouse.series
    group by dataset
) as kept
left join (
    select dataset, min(first_at) as first_at, max(last_at) as last_at
    from warehouse.asked_providers
    group by dataset
) as asked using (dataset);
comment on view collector.source_pools is 'The datasets, whose providers stand in for each other: one row each.';
comment on column collector.source_pools.id is 'Its number, made from its name';
comment on column collector.source_pools.name is 'The dataset';
comment on column collector.source_pools.category is 'The dataset';
comment on column collector.source_pools.description is 'What it holds';
comment on column collector.source_pools.rotation_strategy is
    'priority: the first that answers is taken; none: each tells its own';
comment on column collector.source_pools.enabled is 'Whether any of it is collected now';
comment on column collector.source_pools.created_at is 'The oldest request in the log, UTC';
comment on column collector.source_pools.updated_at is 'The newest request, UTC';

create view collector.pool_members as
select
    warehouse.name_id(dataset || ' ' || provider) as id,
    warehouse.name_id(dataset) as pool_id,
    warehouse.name_id(provider) as provider_id,
    null::integer as priority,
    1 as weight,
    true as enabled,
    last_at as last_used,
    requests::integer as use_count,
    (requests - failures)::integer as success_count,
    failures::integer as failure_count,
    first_at as created_at
from warehouse.asked_providers
where dataset is not null;
comment on view collector.pool_members is
    'Who was asked for a dataset: one row per dataset and provider, as the fetch log has it.';
comment on column collector.pool_members.id is 'Its number, made from both names';
comment on column collector.pool_members.pool_id is 'The dataset, as in source_pools';
comment on column collector.pool_members.provider_id is 'Who was asked, as in providers';
comment on column collector.pool_members.priority is
    'Null: the order is a setting, and the database does not know it';
comment on column collector.pool_members.weight is '1: none is asked more than another';
comment on column collector.pool_members.enabled is 'True: who was asked';
comment on column collector.pool_members.last_used is 'The newest request, UTC';
comment on column collector.pool_members.use_count is 'Requests';
comment on column collector.pool_members.success_count is 'Requests that were answered';
comment on column collector.pool_members.failure_count is 'Requests that failed';
comment on column collector.pool_members.created_at is 'The oldest request in the log, UTC';

create view collector.rotation_history as
select
    warehouse.row_id(fetched_at, series_id) as id,
    warehouse.name_id(dataset) as pool_id,
    warehouse.name_id(former) as from_provider_id,
    warehouse.name_id(source) as to_provider_id,
    'priority' as rotation_reason,
    fetched_at as timestamp,
    true as success,
    series as notes
from warehouse.source_changes;
comment on view collector.rotation_history is
    'When another provider told the next value of a series: one row per change, for 30 days.';
comment on column collector.rotation_history.id is 'Its number: greater for a later time';
comment on column collector.rotation_history.pool_id is 'The dataset, as in source_pools';
comment on column collector.rotation_history.from_provider_id is 'Who told the value before, as in providers';
comment on column collector.rotation_history.to_provider_id is 'Who told it from then on, as in providers';
comment on column collector.rotation_history.rotation_reason is
    'priority: the first that answers is taken, whoever that is';
comment on column collector.rotation_history.timestamp is 'When the new one''s answer was stored, UTC';
comment on column collector.rotation_history.success is 'True: its answer was stored';
comment on column collector.rotation_history.notes is 'The series it is about, with commas';

create view collector.rotation_state as
select
    warehouse.name_id(newest.dataset) as id,
    warehouse.name_id(newest.dataset) as pool_id,
    warehouse.name_id(newest.source) as current_provider_id,
    changes.last_at as last_rotation,
    null::timestamptz as next_rotation,
    coalesce(changes.count, 0) as rotation_count,
    null::text as state_data,
    newest.fetched_at as updated_at
from (
    select distinct on (dataset) dataset, source, fetched_at
    from warehouse.newest_sources
    order by dataset, fetched_at desc, source
) as newest
left join (
    select dataset, max(fetched_at) as last_at, count(*)::integer as count
    from warehouse.source_changes
    group by dataset
) as changes using (dataset);
comment on view collector.rotation_state is
    'Who tells the newest values of a dataset that several can tell: one row each.';
comment on column collector.rotation_state.id is 'The dataset''s number';
comment on column collector.rotation_state.pool_id is 'The dataset, as in source_pools';
comment on column collector.rotation_state.current_provider_id is 'Who told the newest value, as in providers';
comment on column collector.rotation_state.last_rotation is
    'The newest change of the last 30 days, UTC; null without one';
comment on column collector.rotation_state.next_rotation is 'Null: there is no plan to change';
comment on column collector.rotation_state.rotation_count is 'Changes of the last 30 days';
comment on column collector.rotation_state.state_data is 'Null: there is nothing more to it';
comment on column collector.rotation_state.updated_at is 'When the newest value was fetched, UTC';
