create function warehouse.slot_count(slots tstzmultirange, step interval) returns bigint
    language sql immutable strict parallel safe
    return (
        select coalesce(
            sum(ceil(extract(epoch from upper(run) - lower(run)) / extract(epoch from step))), 0
        )::bigint
        from unnest(slots) as run
    );
comment on function warehouse.slot_count is 'How many slots of one length a set of runs holds.';

create function warehouse.due_before(step interval, anchor timestamptz, grace interval)
    returns tstzmultirange
    language sql stable strict parallel safe
    return tstzmultirange(tstzrange(null, date_bin(step, now() - grace, anchor)));
comment on function warehouse.due_before is 'All time whose slots have closed and had their grace.';

create view market.ohlc as
select
    series.venue,
    series.instrument,
    series.interval,
    ohlc.open_time,
    ohlc.open,
    ohlc.high,
    ohlc.low,
    ohlc.close,
    ohlc.volume,
    ohlc.quote_volume,
    ohlc.trade_count,
    loads.source,
    loads.fetched_at
from warehouse.ohlc
join warehouse.series using (series_id)
left join warehouse.loads using (load_id);
comment on view market.ohlc is
    'Closed candles as the venue gave them: one row per venue, instrument, interval and open time.';
comment on column market.ohlc.venue is 'The exchange';
comment on column market.ohlc.instrument is 'BASE-QUOTE';
comment on column market.ohlc.interval is 'Length of the candle';
comment on column market.ohlc.open_time is 'When the candle opens, UTC, as the venue says';
comment on column market.ohlc.open is 'First price, quote per base';
comment on column market.ohlc.high is 'Highest price, quote per base';
comment on column market.ohlc.low is 'Lowest price, quote per base';
comment on column market.ohlc.close is 'Last price, quote per base';
comment on column market.ohlc.volume is 'Amount traded, base asset';
comment on column market.ohlc.quote_volume is 'Amount traded, quote asset';
comment on column market.ohlc.trade_count is 'Number of trades';
comment on column market.ohlc.source is 'The provider that answered';
comment on column market.ohlc.fetched_at is 'When we fetched it, UTC';

create view market.coverage as
select
    dataset,
    series,
    day,
    expected_slots,
    present_slots,
    explained_slots,
    missing_slots,
    round(100.0 * (expected_slots - missing_slots) / nullif(expected_slots, 0), 4) as completeness_pct
from (
    select
        series.dataset,
        series.name as series,
        coverage.day,
        warehouse.slot_count(coverage.expected * due.slots, series.step) as expected_slots,
        warehouse.slot_count(coverage.present, series.step) as present_slots,
        warehouse.slot_count(coverage.explained, series.step) as explained_slots,
        warehouse.slot_count(coverage.missing * due.slots, series.step) as missing_slots
    from warehouse.coverage
    join warehouse.series using (series_id)
    cross join lateral
        warehouse.due_before(series.step, series.anchor, series.grace) as due (slots)
    where series.is_active and coverage.day <= (now() at time zone 'utc')::date
) as counted;
comment on view market.coverage is
    'The ledger: how many slots each series and UTC day should hold, holds, explains and lacks; what is not yet due does not count.';
comment on column market.coverage.dataset is 'What is collected, ohlc for candles';
comment on column market.coverage.series is 'One line of the dataset, venue/instrument/interval for ohlc';
comment on column market.coverage.day is 'UTC day';
comment on column market.coverage.expected_slots is 'Slots that the calendar expects and that are due';
comment on column market.coverage.present_slots is 'Slots with a row';
comment on column market.coverage.explained_slots is 'Slots that are proven never to have been';
comment on column market.coverage.missing_slots is 'Slots expected, neither present nor explained';
comment on column market.coverage.completeness_pct is 'Expected slots that are not missing, percent';

create view market.gaps as
select
    series.dataset,
    series.name as series,
    lower(gap.run) as gap_start,
    upper(gap.run) as gap_end,
    warehouse.slot_count(tstzmultirange(gap.run), series.step) as slots,
    case when tried.attempts = 0 then 'missing' else 'retrying' end as state,
    tried.reason
from (
    select
        coverage.series_id,
        range_agg(coverage.missing * due.slots) as missing
    from warehouse.coverage
    join warehouse.series using (series_id)
    cross join lateral
        warehouse.due_before(series.step, series.anchor, series.grace) as due (slots)
    where
        series.is_active
        and not isempty(coverage.missing)
        and coverage.day <= (now() at time zone 'utc')::date
    group by coverage.series_id
) as open
join warehouse.series using (series_id)
cross join lateral unnest(open.missing) as gap (run)
cross join lateral (
    select
        max(coverage.attempts) as attempts,
        max(coverage.last_error) as reason
    from warehouse.coverage
    where
        coverage.series_id = open.series_id
        and coverage.day >= (lower(gap.run) at time zone 'utc')::date
        and coverage.day < upper(gap.run) at time zone 'utc'
) as tried;
comment on view market.gaps is
    'Every hole: due slots that are neither present nor explained, as runs [gap_start, gap_end).';
comment on column market.gaps.dataset is 'What is collected, ohlc for candles';
comment on column market.gaps.series is 'One line of the dataset, venue/instrument/interval for ohlc';
comment on column market.gaps.gap_start is 'First missing slot, UTC';
comment on column market.gaps.gap_end is 'End of the last missing slot, UTC, itself outside';
comment on column market.gaps.slots is 'Number of slots in the hole';
comment on column market.gaps.state is 'missing: nobody asked yet; retrying: asked for in vain, and asked again later';
comment on column market.gaps.reason is 'Why the last attempt left it open';
