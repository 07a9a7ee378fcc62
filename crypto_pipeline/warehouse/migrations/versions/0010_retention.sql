create or replace view market.coverage as
select
    dataset,
    series,
    day,
    expected_slots,
    present_slots,
    explained_slots,
    missing_slots,
    round(100.0 * (expected_slots - missing_slots) / nullif(expected_slots, 0), 4) as completeness_pct,
    expired_slots
from (
    select
        series.dataset,
        series.name as series,
        coverage.day,
        warehouse.slot_count(coverage.expected * due.slots, series.step) as expected_slots,
        warehouse.slot_count(coverage.present, series.step) as present_slots,
        warehouse.slot_count(coverage.explained, series.step) as explained_slots,
        warehouse.slot_count(coverage.missing * due.slots, series.step) as missing_slots,
        warehouse.slot_count(
            coverage.expired - coverage.expected - coverage.present, series.step
        ) as expired_slots
    from warehouse.coverage
    join warehouse.series using (series_id)
    cross join lateral
        warehouse.due_before(series.step, series.anchor, series.grace) as due (slots)
    where series.is_active and coverage.day <= (now() at time zone 'utc')::date
) as counted;
comment on column market.coverage.expired_slots is
    'Slots whose rows were dropped for their age (retention), no longer expected';
