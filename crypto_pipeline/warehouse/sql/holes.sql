-- lock_named_series --
-- One change at a time to the rows and the ledger of a series, in the order of ids.
select series_id, pg_advisory_xact_lock(720576, series_id)
from (
    select series_id
    from warehouse.series
    where dataset = %(dataset)s and name = %(name)s
) as named;

-- slots_within --
-- A window cut to the slots that open in it.
select
    date_bin(step, %(start)s + step - interval '1 microsecond', anchor),
    date_bin(step, %(end)s + step - interval '1 microsecond', anchor)
from warehouse.series
where series_id = %(series_id)s;

-- absent --
-- For each day of a span that lacks rows: the due slots without one, explained or not.
select
    coverage.day,
    (coverage.expected - coverage.present) * tstzmultirange(
        tstzrange(null, date_bin(series.step, %(now)s - series.grace, series.anchor))
    )
from warehouse.coverage
join warehouse.series using (series_id)
where
    coverage.series_id = %(series_id)s
    and coverage.day between %(first_day)s and %(last_day)s
    and not isempty(coverage.expected - coverage.present);

-- of_days --
select
    day, slots, attempts, next_at, error_class, error, absences, absent_since, absent_at, reason,
    evidence, note
from warehouse.holes
where series_id = %(series_id)s and day = any (%(days)s);

-- covered --
-- The series and days of a batch that hold holes which its rows fill.
select distinct covered.series_id, covered.day, covered.slots
from unnest(
    %(series_ids)s::integer[], %(days)s::date[], %(slots)s::tstzmultirange[]
) as covered (series_id, day, slots)
join warehouse.holes using (series_id, day)
where holes.slots && covered.slots;

-- forget --
delete from warehouse.holes
where series_id = %(series_id)s and day = any (%(days)s);

-- note --
insert into warehouse.holes (
    series_id, day, slots, attempts, next_at, error_class, error, absences, absent_since, absent_at,
    reason, evidence, note
)
values (
    %(series_id)s, %(day)s, tstzrange(%(start)s, %(end)s), %(attempts)s, %(next_at)s,
    %(error_class)s, %(error)s, %(absences)s, %(absent_since)s, %(absent_at)s, %(reason)s,
    %(evidence)s, %(note)s
);

-- refresh_days --
-- The days' own account of their holes; every reader of the ledger goes by it.
update warehouse.coverage
set
    explained = noted.explained,
    tried = noted.tried,
    retry_at = noted.retry_at,
    recheck_at = noted.recheck_at
from unnest(%(days)s::date[]) as changed (day)
cross join lateral (
    select
        coalesce(range_agg(slots) filter (where reason is not null), '{}') as explained,
        coalesce(range_agg(slots) filter (where reason is null), '{}') as tried,
        min(next_at) filter (where reason is null) as retry_at,
        min(next_at) filter (where reason is not null) as recheck_at
    from warehouse.holes
    where holes.series_id = %(series_id)s and holes.day = changed.day
) as noted
where coverage.series_id = %(series_id)s and coverage.day = changed.day;

-- log_change --
insert into warehouse.explanation_changes (
    changed_at, series_id, slots, change, reason, evidence, note
)
values (
    %(now)s, %(series_id)s, tstzrange(%(start)s, %(end)s), %(change)s, %(reason)s, %(evidence)s,
    %(note)s
);
