-- missing --
-- Runs of due slots that are neither present nor explained, within a window; newest first.
select
    series.name,
    lower(run) as starts_at,
    upper(run) as ends_at
from (
    select
        coverage.series_id,
        range_agg(coverage.missing) as slots
    from warehouse.coverage
    where
        coverage.day between %(first_day)s and %(last_day)s
        and not isempty(coverage.missing)
    group by coverage.series_id
) as open
join warehouse.series using (series_id)
cross join lateral unnest(
    open.slots
    * tstzmultirange(tstzrange(%(start)s, %(end)s))
    * tstzmultirange(tstzrange(null, date_bin(series.step, %(now)s - series.grace, series.anchor)))
) as run
where series.dataset = %(dataset)s and series.is_active
order by upper(run) desc, series.name;

-- expected --
-- The same for everything the calendar expects and is due, whether it is there or not.
select
    series.name,
    lower(run) as starts_at,
    upper(run) as ends_at
from (
    select
        coverage.series_id,
        range_agg(coverage.expected) as slots
    from warehouse.coverage
    where coverage.day between %(first_day)s and %(last_day)s
    group by coverage.series_id
) as open
join warehouse.series using (series_id)
cross join lateral unnest(
    open.slots
    * tstzmultirange(tstzrange(%(start)s, %(end)s))
    * tstzmultirange(tstzrange(null, date_bin(series.step, %(now)s - series.grace, series.anchor)))
) as run
where series.dataset = %(dataset)s and series.is_active
order by upper(run) desc, series.name;

-- days_to_repair --
-- Days with a due slot missing that may be asked for now, newest first; the partial index finds them.
select coverage.day
from warehouse.coverage
join warehouse.series using (series_id)
where
    series.dataset = %(dataset)s
    and series.is_active
    and not isempty(coverage.missing)
    and coverage.day <= (%(now)s at time zone 'utc')::date
    and (coverage.retry_at is null or coverage.retry_at <= %(now)s)
    and coverage.missing && tstzrange(
        null, date_bin(series.step, %(due_at)s - series.grace, series.anchor)
    )
group by coverage.day
order by coverage.day desc
limit %(limit)s;

-- is_new --
-- Whether the ledger knows of no row in any of these slots; who holds the series' lock is the only writer.
select not exists (
    select
    from unnest(
        %(series_ids)s::integer[], %(days)s::date[], %(slots)s::tstzmultirange[]
    ) as covered (series_id, day, slots)
    join warehouse.coverage using (series_id, day)
    where coverage.present && covered.slots
);

-- mark_present --
insert into warehouse.coverage as kept (series_id, day, expected, present)
select series_id, day, '{}', slots
from unnest(
    %(series_ids)s::integer[], %(days)s::date[], %(slots)s::tstzmultirange[]
) as covered (series_id, day, slots)
on conflict (series_id, day) do update set present = kept.present + excluded.present
where not kept.present @> excluded.present;

-- account --
-- What is still missing after it was asked for is tried again later and later; a filled day is forgotten.
update warehouse.coverage
set
    attempts = case when still.is_missing then least(coverage.attempts + 1, 100) else 0 end,
    retry_at = case
        when still.is_missing
            then %(now)s + least(
                %(first_pause)s::interval * 2 ^ least(coverage.attempts, 20), %(longest_pause)s::interval
            )
    end,
    last_error = case when still.is_missing then %(reason)s end
from (
    select
        day.series_id,
        day.day,
        day.missing && tstzrange(
            null, date_bin(series.step, %(now)s - series.grace, series.anchor)
        ) as is_missing
    from warehouse.coverage as day
    join warehouse.series using (series_id)
    where
        series.dataset = %(dataset)s
        and series.name = %(series)s
        and day.day between %(first_day)s and %(last_day)s
) as still
where
    still.series_id = coverage.series_id
    and still.day = coverage.day
    and (still.is_missing or coverage.attempts > 0);

-- summary --
-- One row per active series and day of a span, as far as it was due at an instant.
select
    series.name,
    coverage.day,
    warehouse.slot_count(coverage.expected * due.slots, series.step),
    warehouse.slot_count(coverage.present * due.slots, series.step),
    warehouse.slot_count(coverage.explained * due.slots, series.step),
    warehouse.slot_count(coverage.missing * due.slots, series.step)
from warehouse.coverage
join warehouse.series using (series_id)
cross join lateral tstzmultirange(
    tstzrange(null, date_bin(series.step, %(due_at)s - series.grace, series.anchor))
) as due (slots)
where
    series.dataset = %(dataset)s
    and series.is_active
    and coverage.day between %(first_day)s and %(last_day)s
order by coverage.day desc, series.name;

-- totals --
-- The whole of a dataset as far as it was due at an instant, and how much of the missing was tried.
select
    count(*) filter (where open.slots <> '{}'),
    coalesce(sum(warehouse.slot_count(open.slots, series.step)), 0)::bigint,
    coalesce(
        sum(warehouse.slot_count(open.slots, series.step)) filter (where coverage.attempts > 0), 0
    )::bigint,
    max(coverage.last_error) filter (where open.slots <> '{}')
from warehouse.coverage
join warehouse.series using (series_id)
cross join lateral (
    select coverage.missing * tstzmultirange(
        tstzrange(null, date_bin(series.step, %(due_at)s - series.grace, series.anchor))
    ) as slots
) as open
where
    series.dataset = %(dataset)s
    and series.is_active
    and not isempty(coverage.missing)
    and coverage.day <= (%(due_at)s at time zone 'utc')::date;
