drop function market.ohlc_between (timestamptz, timestamptz);

create or replace view market.ohlc as
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

drop view warehouse.ohlc_ends;
drop view warehouse.ohlc_stored;
drop view warehouse.ohlc_unpacked;
drop function warehouse.high_digits (bigint);
drop function warehouse.low_digit (bigint);
