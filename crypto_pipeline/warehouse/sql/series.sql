-- lock_catalogue --
-- One registration of a dataset at a time.
select pg_advisory_xact_lock(720577, hashtext(%(dataset)s));

-- lock_series --
-- One change at a time to the rows and the ledger of a series; always in this order, so that
-- nobody waits in a circle.
select pg_advisory_xact_lock(720576, series_id)
from unnest(%(series_ids)s::integer[]) as series_id
order by series_id;

-- lock_named_series --
-- The same by name.
select pg_advisory_xact_lock(720576, series_id)
from warehouse.series
where dataset = %(dataset)s and name = any (%(names)s)
order by series_id;

-- register_series --
-- A series that is known keeps its id; what is collected, and since when, follows the settings.
with changed as (
    insert into warehouse.series as known (
        dataset, name, venue, instrument, interval, step, anchor, grace, starts_at
    )
    values (
        %(dataset)s, %(name)s, %(venue)s, %(instrument)s, %(interval)s,
        %(step)s, %(anchor)s, %(grace)s, %(starts_at)s
    )
    on conflict (dataset, name) do update set
        grace = excluded.grace,
        starts_at = excluded.starts_at,
        is_active = true
    where
        (known.grace, known.starts_at, known.is_active)
        is distinct from (excluded.grace, excluded.starts_at, true)
    returning series_id
)
select series_id
from changed
union all
select series_id
from warehouse.series
where dataset = %(dataset)s and name = %(name)s
limit 1;

-- deactivate_others --
-- A series that is no longer named stops being expected and keeps its rows.
update warehouse.series
set is_active = false
where dataset = %(dataset)s and is_active and not series_id = any (%(kept)s);

-- extend_calendar --
-- A day expects every slot that opens in it, from the series' start; days are made ahead of time.
-- Days that are right are not touched, for this runs at every tick.
insert into warehouse.coverage as kept (series_id, day, expected)
select
    series.series_id,
    first.day::date,
    due.slots
from warehouse.series
cross join lateral (
    select
        days.day,
        greatest(
            series.starts_at,
            date_bin(
                series.step,
                (days.day at time zone 'utc') + series.step - interval '1 microsecond',
                series.anchor
            )
        ) as slot
    from generate_series(
        (series.starts_at at time zone 'utc')::date::timestamp, %(until)s::timestamp, interval '1 day'
    ) as days (day)
) as first
cross join lateral (
    select tstzmultirange(
        tstzrange(first.slot, greatest(first.slot, (first.day + interval '1 day') at time zone 'utc'))
    ) as slots
) as due
left join warehouse.coverage as held
    on held.series_id = series.series_id and held.day = first.day::date
where
    series.is_active
    and series.dataset = %(dataset)s
    and not isempty(due.slots)
    and held.expected is distinct from due.slots
on conflict (series_id, day) do update set expected = excluded.expected;

-- retract_calendar --
-- Days before the series' start are no longer expected; their rows stay.
update warehouse.coverage
set expected = '{}'
from warehouse.series
where
    series.series_id = coverage.series_id
    and series.dataset = %(dataset)s
    and series.is_active
    and coverage.day < (series.starts_at at time zone 'utc')::date
    and not isempty(coverage.expected);

-- active_series --
-- The series that are expected now, each with the last day that the calendar has been made for.
select
    series.series_id,
    series.name,
    series.starts_at,
    series.grace,
    (
        select max(coverage.day)
        from warehouse.coverage
        where coverage.series_id = series.series_id
    ) as last_day
from warehouse.series
where series.dataset = %(dataset)s and series.is_active;
