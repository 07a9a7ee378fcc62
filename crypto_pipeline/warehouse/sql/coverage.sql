-- wanted --
-- What of each series is to be asked for in a window: the missing slots; who is patient leaves out
-- those that wait, and adds explained ones that are due to be put to the test. Beside it the slots
-- around that have no row, and those answered without before, which the planner goes by.
with open as (
    select series_id, day
    from warehouse.coverage
    where day between %(first_day)s and %(last_day)s and is_incomplete
    union
    select series_id, day
    from warehouse.coverage
    where
        day between %(first_day)s and %(last_day)s
        and (recheck_at <= %(now)s or recheck_at > %(now)s + %(longest_recheck)s::interval)
),
reach as (
    -- From the last day with a row before to the first one after: no matter how long a hole is,
    -- the rows that prove it are on those.
    select
        open.series_id,
        coalesce(
            (
                select max(coverage.day)
                from warehouse.coverage
                where
                    coverage.series_id = open.series_id
                    and coverage.day < min(open.day)
                    and coverage.present <> '{}'
            ),
            '-infinity'
        ) as first_day,
        coalesce(
            (
                select min(coverage.day)
                from warehouse.coverage
                where
                    coverage.series_id = open.series_id
                    and coverage.day > max(open.day)
                    and coverage.present <> '{}'
            ),
            'infinity'
        ) as last_day
    from open
    group by open.series_id
),
held as (
    select
        reach.series_id,
        range_agg(near.missing) filter (
            where near.day between %(first_day)s and %(last_day)s
        ) as missing,
        range_agg(near.expected - near.present) as absent
    from reach
    join warehouse.coverage as near
        on
            near.series_id = reach.series_id
            and near.day between reach.first_day and reach.last_day
    group by reach.series_id
),
hollow as (
    -- What a source answered without; a source that failed has said nothing about it.
    select
        reach.series_id,
        range_agg(holes.slots) as slots
    from reach
    join warehouse.holes
        on
            holes.series_id = reach.series_id
            and holes.day between reach.first_day and reach.last_day
    where holes.reason is not null or holes.absences > 0 or holes.error_class = 'Unanswered'
    group by reach.series_id
),
noted as (
    select
        holes.series_id,
        range_agg(
            case
                -- A request that is wrong is so for the whole day: new slots wait as well.
                when holes.error_class = 'RequestRejected'
                    then tstzrange(
                        holes.day::timestamp at time zone 'utc',
                        (holes.day + 1)::timestamp at time zone 'utc'
                    )
                else holes.slots
            end
        ) filter (where holes.reason is null and not paused.is_over) as waiting,
        range_agg(holes.slots) filter (where holes.reason is not null and paused.is_over) as rechecks
    from warehouse.holes
    join open using (series_id, day)
    cross join lateral (
        select
            holes.next_at <= %(now)s
            -- A next time beyond all pauses was noted under a clock that ran ahead.
            or holes.next_at > %(now)s + case
                when holes.reason is null then %(longest_pause)s::interval
                else %(longest_recheck)s::interval
            end as is_over
    ) as paused
    where %(patient)s
    group by holes.series_id
)
select
    series.name,
    (
        (held.missing + coalesce(noted.rechecks, '{}') * held.absent)
        * tstzmultirange(tstzrange(%(start)s, %(end)s))
        * due.slots
        - coalesce(noted.waiting, '{}')
    ) as slots,
    held.absent * due.slots,
    coalesce(hollow.slots, '{}') as hollow,
    case
        when series.listed_at < series.since then tstzrange(series.listed_at, series.since)
    end as older
from held
join warehouse.series using (series_id)
left join hollow using (series_id)
left join noted using (series_id)
cross join lateral tstzmultirange(
    tstzrange(null, date_bin(series.step, %(now)s - series.grace, series.anchor))
) as due (slots)
where series.dataset = %(dataset)s and series.is_active
order by series.name;

-- expected --
-- The same for everything the calendar expects and is due, whether it is there or not.
select
    series.name,
    held.expected * tstzmultirange(
        tstzrange(%(start)s, %(end)s)
        * tstzrange(null, date_bin(series.step, %(now)s - series.grace, series.anchor))
    ) as slots,
    held.absent,
    held.hollow,
    case
        when series.listed_at < series.since then tstzrange(series.listed_at, series.since)
    end as older
from (
    select
        series_id,
        range_agg(expected) as expected,
        range_agg(expected - present) as absent,
        range_agg(explained) as hollow
    from warehouse.coverage
    where day between %(first_day)s and %(last_day)s
    group by series_id
) as held
join warehouse.series using (series_id)
where series.dataset = %(dataset)s and series.is_active
order by series.name;

-- days_to_repair --
-- Days with something to ask for now, newest first: a due slot that is missing and was never asked
-- for or has waited long enough, or an explanation that is due to be put to the test. Just the days
-- of which a patient asker wants something: one with nothing to ask for would come up for ever.
select open.day
from (
    select coverage.day
    from warehouse.coverage
    -- 'offset 0' makes the planner begin with the few incomplete days, not with all series.
    cross join lateral (
        select coverage.missing * tstzmultirange(
            tstzrange(null, date_bin(series.step, %(due_at)s - series.grace, series.anchor))
        ) as slots
        from warehouse.series
        where
            series.series_id = coverage.series_id
            and series.dataset = %(dataset)s
            and series.is_active
        offset 0
    ) as due
    where
        coverage.is_incomplete
        and coverage.day <= (%(now)s at time zone 'utc')::date
        and not exists (
            select
            from warehouse.holes
            where
                holes.series_id = coverage.series_id
                and holes.day = coverage.day
                and holes.error_class = 'RequestRejected'
                and holes.reason is null
                and holes.next_at > %(now)s
                and holes.next_at <= %(now)s + %(longest_pause)s::interval
        )
        and (
            not coverage.tried @> due.slots
            or exists (
                select
                from warehouse.holes
                where
                    holes.series_id = coverage.series_id
                    and holes.day = coverage.day
                    and holes.reason is null
                    and (
                        holes.next_at <= %(now)s
                        or holes.next_at > %(now)s + %(longest_pause)s::interval
                    )
                    and due.slots && holes.slots
            )
        )
    union all
    select coverage.day
    from warehouse.coverage
    join warehouse.series using (series_id)
    join warehouse.holes using (series_id, day)
    where
        series.dataset = %(dataset)s
        and series.is_active
        and (
            coverage.recheck_at <= %(now)s
            or coverage.recheck_at > %(now)s + %(longest_recheck)s::interval
        )
        and holes.reason is not null
        and (
            holes.next_at <= %(now)s
            or holes.next_at > %(now)s + %(longest_recheck)s::interval
        )
        and (coverage.expected - coverage.present) && holes.slots
        and lower(holes.slots) < %(due_at)s - series.grace
) as open
group by open.day
order by open.day desc
limit %(limit)s;

-- waiting --
-- How many days miss slots that all wait, and when the first of them may be asked for again.
select
    count(distinct coverage.day),
    min(coverage.retry_at)
from warehouse.coverage
join warehouse.series using (series_id)
where
    series.dataset = %(dataset)s
    and series.is_active
    and coverage.is_incomplete
    and coverage.retry_at > %(now)s;

-- attempts --
select coalesce(max(holes.attempts), 0)
from warehouse.holes
join warehouse.series using (series_id)
where
    series.dataset = %(dataset)s
    and series.is_active
    and holes.reason is null
    and holes.day between %(first_day)s and %(last_day)s;

-- known --
-- What the ledger knows of a batch's slots: whether any has a row, and whether any is in a noted hole.
-- Who holds the series' lock is the only writer.
with covered as (
    select *
    from unnest(
        %(series_ids)s::integer[], %(days)s::date[], %(slots)s::tstzmultirange[]
    ) as batch (series_id, day, slots)
)
select
    exists (
        select
        from covered
        join warehouse.coverage using (series_id, day)
        where coverage.present && covered.slots
    ) as has_rows,
    exists (
        select
        from covered
        join warehouse.holes using (series_id, day)
        where holes.slots && covered.slots
    ) as has_holes;

-- mark_present --
insert into warehouse.coverage as kept (series_id, day, expected, present)
select series_id, day, '{}', slots
from unnest(
    %(series_ids)s::integer[], %(days)s::date[], %(slots)s::tstzmultirange[]
) as covered (series_id, day, slots)
on conflict (series_id, day) do update set present = kept.present + excluded.present
where not kept.present @> excluded.present;

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
    coalesce(sum(warehouse.slot_count(open.slots * coverage.tried, series.step)), 0)::bigint
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
    and coverage.is_incomplete
    and coverage.day <= (%(due_at)s at time zone 'utc')::date;

-- stuck --
-- What no provider can fill, by series and reason, most first.
select
    series,
    reason,
    sum(slots)::bigint as slots
from market.gaps
where dataset = %(dataset)s and state = 'stuck'
group by series, reason
order by slots desc, series;
