drop view market.gaps;
drop view market.coverage;
drop view market.ohlc;
drop function warehouse.due_before (interval, timestamptz, interval);
drop function warehouse.slot_count (tstzmultirange, interval);
