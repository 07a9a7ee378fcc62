-- schema_revision_exists --
select to_regclass('warehouse.alembic_version') is not null;

-- schema_revision --
select version_num from warehouse.alembic_version;

-- series --
-- What the ledger says of each active series as far as it is due. Whole years are joined first and
-- counted then: a thousand series take a quarter of a second, counted day by day they take three.
select
    series.dataset,
    series.name,
    warehouse.slot_count(held.expected * due.slots, series.step) as expected,
    warehouse.slot_count(held.present, series.step) as present,
    warehouse.slot_count(held.explained, series.step) as explained,
    warehouse.slot_count(open.slots, series.step) as missing,
    date_bin(
        series.step, upper(held.present) - interval '1 microsecond', series.anchor
    ) as newest_slot,
    least(upper(due.slots), series.delisted_at) - series.step as newest_due,
    warehouse.slot_count(open.slots * coalesce(stuck.slots, '{}'), series.step) as stuck
from (
    select
        coverage.series_id,
        range_agg(coverage.expected) as expected,
        range_agg(coverage.present) as present,
        range_agg(coverage.explained) as explained
    from warehouse.coverage
    where coverage.day <= (%(now)s at time zone 'utc')::date
    group by coverage.series_id
) as held
join warehouse.series using (series_id)
cross join lateral tstzmultirange(
    tstzrange(null, date_bin(series.step, %(now)s - series.grace, series.anchor))
) as due (slots)
cross join lateral (
    select held.expected * due.slots - held.present - held.explained as slots
) as open
left join (
    select
        holes.series_id,
        range_agg(holes.slots) as slots
    from warehouse.holes
    where holes.state = 'stuck'
    group by holes.series_id
) as stuck using (series_id)
where series.is_active
order by series.dataset, series.name;

-- row_estimate --
-- Rows of a table as the statistics tell: exact enough, and free however many there are. What is
-- counted of a table that has partitions is theirs already.
select
    coalesce(sum(greatest(kept.reltuples, counted.n_live_tup, 0)), 0)::bigint
    + case %(table)s::text
        when 'warehouse.ohlc'
            then (select coalesce(sum(candles), 0) from warehouse.ohlc_packed)
        else 0
    end
from (
    select %(table)s::regclass as relid
    union
    select relid
    from pg_partition_tree(%(table)s)
) as part
join pg_class as kept on kept.oid = part.relid
left join pg_stat_user_tables as counted on counted.relid = part.relid
where kept.relkind = 'r';

-- database_size --
select pg_database_size(current_database());

-- providers --
-- How the requests since an instant went, and the newest error of each provider.
select
    provider,
    count(*),
    count(error_class),
    percentile_disc(0.5) within group (order by duration_ms),
    (array_agg(error order by requested_at desc) filter (where error_class is not null))[1],
    max(requested_at) filter (where error_class is not null)
from warehouse.fetches
where requested_at >= %(since)s
group by provider
order by provider;
