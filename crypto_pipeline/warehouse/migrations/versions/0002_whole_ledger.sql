create function warehouse.trust_of(load integer) returns smallint
    language sql stable strict parallel safe
    return coalesce((select trust from warehouse.loads where load_id = load), 32767);
comment on function warehouse.trust_of is
    'How trusted the source of a load is: 0 is the venue itself, and who came by no load is trusted least.';

create view market.gaps as
with due as (
    select
        coverage.series_id,
        coverage.day,
        coverage.missing * warehouse.due_before(series.step, series.anchor, series.grace) as slots,
        coverage.tried
    from warehouse.coverage
    join warehouse.series using (series_id)
    where
        series.is_active
        and coverage.is_incomplete
        and coverage.day <= (now() at time zone 'utc')::date
),
open as (
    select
        due.series_id,
        'missing' as state,
        null as error_class,
        null as reason,
        range_agg(due.slots - due.tried) as slots
    from due
    group by due.series_id
    union all
    select
        holes.series_id,
        holes.state,
        holes.error_class,
        holes.error,
        range_agg(due.slots * tstzmultirange(holes.slots))
    from due
    join warehouse.holes using (series_id, day)
    where holes.reason is null
    group by holes.series_id, holes.state, holes.error_class, holes.error
)
select
    series.dataset,
    series.name as series,
    lower(gap.run) as gap_start,
    upper(gap.run) as gap_end,
    warehouse.slot_count(tstzmultirange(gap.run), series.step) as slots,
    open.state,
    open.reason,
    coalesce(tried.attempts, 0) as attempts,
    tried.next_attempt_at,
    open.error_class
from open
join warehouse.series using (series_id)
cross join lateral unnest(open.slots) as gap (run)
cross join lateral (
    select
        max(holes.attempts) as attempts,
        min(holes.next_at) as next_attempt_at
    from warehouse.holes
    where
        open.state <> 'missing'
        and holes.series_id = open.series_id
        and holes.day >= (lower(gap.run) at time zone 'utc')::date
        and holes.day <= (upper(gap.run) at time zone 'utc')::date
        and holes.slots && gap.run
) as tried;
comment on view market.gaps is
    'Every hole: due slots that are neither present nor explained, as runs [gap_start, gap_end).';
comment on column market.gaps.dataset is 'What is collected, ohlc for candles';
comment on column market.gaps.series is 'One line of the dataset, venue/instrument/interval for ohlc';
comment on column market.gaps.gap_start is 'First missing slot, UTC';
comment on column market.gaps.gap_end is 'End of the last missing slot, UTC, itself outside';
comment on column market.gaps.slots is 'Number of slots in the hole';
comment on column market.gaps.state is
    'missing: nobody asked yet; retrying: asked for in vain, and asked again later; stuck: asked for in vain for an hour, or the request itself is wrong';
comment on column market.gaps.reason is 'Why the last attempt left it open';
comment on column market.gaps.attempts is 'Times it was asked for in vain';
comment on column market.gaps.next_attempt_at is 'When it may be asked for again, UTC';
comment on column market.gaps.error_class is 'What kind of failure the last attempt met';

create view market.explanations as
select
    series.dataset,
    series.name as series,
    lower(told.run) as explained_from,
    upper(told.run) as explained_to,
    warehouse.slot_count(tstzmultirange(told.run), series.step) as slots,
    told.reason,
    told.evidence,
    told.note,
    told.confirmations,
    told.first_seen_at,
    told.last_seen_at,
    told.recheck_at
from (
    select
        proven.series_id,
        proven.reason,
        seen.evidence,
        proven.note,
        seen.confirmations,
        seen.first_seen_at,
        seen.last_seen_at,
        seen.recheck_at,
        proven.run
    from (
        select
            holes.series_id,
            holes.reason,
            holes.note,
            unnest(range_agg(tstzmultirange(holes.slots) * coverage.expected)) as run
        from warehouse.holes
        join warehouse.coverage using (series_id, day)
        where holes.reason is not null
        group by holes.series_id, holes.reason, holes.note
    ) as proven
    cross join lateral (
        select
            (array_agg(holes.evidence order by holes.slots))[1] as evidence,
            min(holes.absences) as confirmations,
            min(holes.absent_since) as first_seen_at,
            max(holes.absent_at) as last_seen_at,
            min(holes.next_at) as recheck_at
        from warehouse.holes
        where
            holes.series_id = proven.series_id
            and holes.day >= (lower(proven.run) at time zone 'utc')::date
            and holes.day <= (upper(proven.run) at time zone 'utc')::date
            and holes.slots && proven.run
            and holes.reason = proven.reason
    ) as seen
    union all
    select
        listed.series_id,
        'not_listed_yet',
        jsonb_build_object('first_candle', listed.listed_at),
        null,
        1,
        listed.listing_read_at,
        listed.listing_read_at,
        null,
        tstzrange(listed.since, listed.listed_at)
    from warehouse.series as listed
    where listed.listed_at > listed.since
    union all
    select
        ended.series_id,
        'delisted',
        jsonb_build_object('last_candle_ended', ended.delisted_at),
        null,
        1,
        ended.listing_read_at,
        ended.listing_read_at,
        null,
        tstzrange(ended.delisted_at, date_bin(ended.step, now(), ended.anchor))
    from warehouse.series as ended
    where ended.delisted_at < now()
) as told
join warehouse.series using (series_id)
where series.is_active and not isempty(told.run);
comment on view market.explanations is
    'Why slots have no row and never will: runs [explained_from, explained_to) with the evidence.';
comment on column market.explanations.dataset is 'What is collected, ohlc for candles';
comment on column market.explanations.series is 'One line of the dataset, venue/instrument/interval for ohlc';
comment on column market.explanations.explained_from is 'First explained slot, UTC';
comment on column market.explanations.explained_to is 'End of the last explained slot, UTC, itself outside';
comment on column market.explanations.slots is 'Number of slots';
comment on column market.explanations.reason is
    'venue_outage, no_trades, not_listed_yet, delisted, not_refillable or not_published';
comment on column market.explanations.evidence is 'Who answered, and the rows around the hole';
comment on column market.explanations.note is 'What a person said about it';
comment on column market.explanations.confirmations is 'Answers that agree';
comment on column market.explanations.first_seen_at is 'When it was first found absent, UTC';
comment on column market.explanations.last_seen_at is 'When it was last found absent, UTC';
comment on column market.explanations.recheck_at is 'When it is asked for again, UTC';

create view market.explanation_changes as
select
    changes.changed_at,
    series.dataset,
    series.name as series,
    lower(changes.slots) as slots_from,
    upper(changes.slots) as slots_to,
    changes.change,
    changes.reason,
    changes.evidence,
    changes.note
from warehouse.explanation_changes as changes
join warehouse.series using (series_id);
comment on view market.explanation_changes is
    'When holes were explained, and when an explanation ended: the history of market.explanations.';
comment on column market.explanation_changes.changed_at is 'When, UTC';
comment on column market.explanation_changes.dataset is 'What is collected, ohlc for candles';
comment on column market.explanation_changes.series is 'One line of the dataset';
comment on column market.explanation_changes.slots_from is 'First slot concerned, UTC';
comment on column market.explanation_changes.slots_to is 'End of the last slot concerned, UTC, itself outside';
comment on column market.explanation_changes.change is
    'explained; replaced_by_data: the rows came after all; reopened: a person withdrew it';
comment on column market.explanation_changes.reason is 'The explanation that began or ended';
comment on column market.explanation_changes.evidence is 'What it rested on';
comment on column market.explanation_changes.note is 'What a person said about it';

create view market.instruments as
select
    listed.venue,
    listed.instrument,
    listed.symbol,
    listed.status,
    listed.first_seen_at,
    listed.last_seen_at,
    collected.listed_at,
    collected.delisted_at,
    coalesce(collected.is_active, false) as is_collected
from warehouse.instruments as listed
left join (
    select
        series.venue,
        series.instrument,
        min(series.listed_at) as listed_at,
        max(series.delisted_at) as delisted_at,
        bool_or(series.is_active) as is_active
    from warehouse.series
    where series.dataset = 'ohlc'
    group by series.venue, series.instrument
) as collected using (venue, instrument);
comment on view market.instruments is 'What each venue lists, as it said last: one row per venue and instrument.';
comment on column market.instruments.venue is 'The exchange';
comment on column market.instruments.instrument is 'BASE-QUOTE';
comment on column market.instruments.symbol is 'As the venue spells it';
comment on column market.instruments.status is 'trading; halted: listed and not trading; gone: no longer listed';
comment on column market.instruments.first_seen_at is 'The first list we read that held it, UTC';
comment on column market.instruments.last_seen_at is 'The newest list that held it, UTC';
comment on column market.instruments.listed_at is 'Its first candle, UTC; known where it is collected';
comment on column market.instruments.delisted_at is 'The end of its last candle, UTC, when it is over';
comment on column market.instruments.is_collected is 'Whether its candles are collected';

create view market.instrument_changes as
select changed_at, venue, instrument, field, old_value, new_value
from warehouse.instrument_changes;
comment on view market.instrument_changes is 'What changed about instruments: renames, halts, listings, delistings.';
comment on column market.instrument_changes.changed_at is 'When we saw it, UTC';
comment on column market.instrument_changes.venue is 'The exchange';
comment on column market.instrument_changes.instrument is 'BASE-QUOTE';
comment on column market.instrument_changes.field is 'symbol, status, listed_at or delisted_at';
comment on column market.instrument_changes.old_value is 'As it was; null where there was nothing';
comment on column market.instrument_changes.new_value is 'As it is; null where there is nothing any more';

create view market.ohlc_revisions as
select
    series.venue,
    series.instrument,
    series.interval,
    former.open_time,
    former.open,
    former.high,
    former.low,
    former.close,
    former.volume,
    former.quote_volume,
    former.trade_count,
    known.source,
    known.fetched_at,
    former.replaced_at,
    better.source as replaced_by,
    better.run_id as replaced_in_run
from warehouse.ohlc_revisions as former
join warehouse.series using (series_id)
left join warehouse.loads as known on known.load_id = former.load_id
left join warehouse.loads as better on better.load_id = former.replaced_by;
comment on view market.ohlc_revisions is
    'Candles as they were before a later answer replaced them: one row per replaced row.';
comment on column market.ohlc_revisions.venue is 'The exchange';
comment on column market.ohlc_revisions.instrument is 'BASE-QUOTE';
comment on column market.ohlc_revisions.interval is 'Length of the candle';
comment on column market.ohlc_revisions.open_time is 'When the candle opens, UTC, as the venue says';
comment on column market.ohlc_revisions.open is 'First price, quote per base';
comment on column market.ohlc_revisions.high is 'Highest price, quote per base';
comment on column market.ohlc_revisions.low is 'Lowest price, quote per base';
comment on column market.ohlc_revisions.close is 'Last price, quote per base';
comment on column market.ohlc_revisions.volume is 'Amount traded, base asset';
comment on column market.ohlc_revisions.quote_volume is 'Amount traded, quote asset';
comment on column market.ohlc_revisions.trade_count is 'Number of trades';
comment on column market.ohlc_revisions.source is 'The provider that had answered';
comment on column market.ohlc_revisions.fetched_at is 'When we fetched it, UTC';
comment on column market.ohlc_revisions.replaced_at is 'When it was replaced, UTC';
comment on column market.ohlc_revisions.replaced_by is 'The provider whose answer replaced it';
comment on column market.ohlc_revisions.replaced_in_run is 'The Dagster run that replaced it';

create function market.ohlc_as_of(known_at timestamptz) returns setof market.ohlc
    language sql stable parallel safe
    begin atomic
        select
            ohlc.venue, ohlc.instrument, ohlc.interval, ohlc.open_time, ohlc.open, ohlc.high,
            ohlc.low, ohlc.close, ohlc.volume, ohlc.quote_volume, ohlc.trade_count, ohlc.source,
            ohlc.fetched_at
        from market.ohlc
        where ohlc.fetched_at <= known_at
        union all
        select
            former.venue, former.instrument, former.interval, former.open_time, former.open,
            former.high, former.low, former.close, former.volume, former.quote_volume,
            former.trade_count, former.source, former.fetched_at
        from market.ohlc_revisions as former
        where former.fetched_at <= known_at and known_at < former.replaced_at;
    end;
comment on function market.ohlc_as_of is
    'The candles as they were known at an instant: what came later is left out, what was replaced later is as it was.';
