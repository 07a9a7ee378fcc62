-- lock_catalogue --
-- One registration of a dataset at a time.
select pg_advisory_xact_lock(720577, hashtext(%(dataset)s));

-- lock_series --
-- One change at a time to the rows and the ledger of a series; always in this order, so that
-- nobody waits in a circle.
select pg_advisory_xact_lock(720576, series_id)
from unnest(%(series_ids)s::integer[]) as series_id
order by series_id;

-- register_series --
-- A series that is known keeps its id; what is collected, and since when, follows the settings.
with changed as (
    insert into warehouse.series as known (
        dataset, name, venue, instrument, interval, step, anchor, grace, since
    )
    values (
        %(dataset)s, %(name)s, %(venue)s, %(instrument)s, %(interval)s,
        %(step)s, %(anchor)s, %(grace)s, %(since)s
    )
    on conflict (dataset, name) do update set
        grace = excluded.grace,
        since = excluded.since,
        is_active = true
    where
        (known.grace, known.since, known.is_active)
        is distinct from (excluded.grace, excluded.since, true)
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
-- A day expects every slot that opens in it, from the later of wish and listing to the delisting;
-- days are made ahead of time.
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
        tstzrange(
            first.slot,
            greatest(
                first.slot,
                least((first.day + interval '1 day') at time zone 'utc', series.delisted_at)
            )
        )
    ) as slots
) as due
left join warehouse.coverage as held
    on held.series_id = series.series_id and held.day = first.day::date
where
    series.is_active
    and series.dataset = %(dataset)s
    and coalesce(held.expected, '{}') <> due.slots
on conflict (series_id, day) do update set expected = excluded.expected;

-- retract_calendar --
-- Days before the series' start and after its end are no longer expected; their rows stay.
update warehouse.coverage
set expected = '{}'
from warehouse.series
where
    series.series_id = coverage.series_id
    and series.dataset = %(dataset)s
    and series.is_active
    and not isempty(coverage.expected)
    and (
        coverage.day < (series.starts_at at time zone 'utc')::date
        or (coverage.day at time zone 'utc') >= series.delisted_at
    );

-- active_series --
-- The series that are expected now, and whether their calendar reaches far enough.
select
    series.series_id,
    series.name,
    series.since,
    series.grace,
    series.delisted_at is not null or (
        select max(coverage.day)
        from warehouse.coverage
        where coverage.series_id = series.series_id
    ) >= %(enough)s as is_ahead
from warehouse.series
where series.dataset = %(dataset)s and series.is_active;

-- listings_due --
-- Active series whose listing was not read within a while; a reading in the future was a wrong clock's.
-- One that trades no more is asked for sooner until its end is known.
select series.name
from warehouse.series
left join warehouse.instruments as listed using (venue, instrument)
cross join lateral (
    select case
        when listed.status <> 'trading' and series.delisted_at is null then %(soon)s::interval
        else %(fresh_for)s::interval
    end as span
) as fresh
where
    series.dataset = %(dataset)s
    and series.is_active
    and (
        series.listing_read_at is null
        or series.listing_read_at not between %(now)s - fresh.span and %(now)s + fresh.span
    );

-- log_listing --
-- A beginning or an end that moved; the first time a beginning is learnt is no change.
insert into warehouse.instrument_changes (
    changed_at, venue, instrument, field, old_value, new_value
)
select
    %(now)s,
    series.venue,
    series.instrument,
    moved.field,
    to_char(moved.old_value at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    to_char(moved.new_value at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
from warehouse.series
cross join lateral (
    values
    ('listed_at', series.listed_at, coalesce(%(listed_at)s::timestamptz, series.listed_at)),
    ('delisted_at', series.delisted_at, %(delisted_at)s::timestamptz)
) as moved (field, old_value, new_value)
where
    series.dataset = %(dataset)s
    and series.name = %(name)s
    and moved.old_value is distinct from moved.new_value
    and (moved.field <> 'listed_at' or moved.old_value is not null);

-- note_listing --
update warehouse.series
set
    listed_at = %(listed_at)s,
    delisted_at = %(delisted_at)s,
    listing_read_at = %(now)s
where dataset = %(dataset)s and name = %(name)s;

-- active_ids --
select series_id
from warehouse.series
where dataset = %(dataset)s and is_active;
