drop function market.ohlc_as_of (timestamptz);
drop view market.ohlc_revisions;
drop view market.instrument_changes;
drop view market.instruments;
drop view market.explanation_changes;
drop view market.explanations;
drop view market.gaps;
drop function warehouse.trust_of (integer);
