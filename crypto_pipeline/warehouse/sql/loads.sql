-- add_load --
-- Dated by the clock, not by the transaction's start: who had to wait for the series' lock comes later.
insert into warehouse.loads (source, run_id, trust, fetched_at)
values (%(source)s, %(run_id)s, %(trust)s, clock_timestamp())
returning load_id;

-- reject --
insert into warehouse.rejected_rows (series_id, slot, source_row, source, reason)
values (%(series_id)s, %(slot)s, %(row)s, %(source)s, %(reason)s)
on conflict (series_id, slot) do update set
    source_row = excluded.source_row,
    source = excluded.source,
    reason = excluded.reason,
    seen_at = now();
