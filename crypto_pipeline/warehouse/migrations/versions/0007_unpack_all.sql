insert into warehouse.ohlc (
    series_id, open_time, load_id, trade_count, open, high, low, close, volume, quote_volume
)
select
    series_id, open_time, load_id, trade_count, open, high, low, close, volume, quote_volume
from warehouse.ohlc_unpacked
order by series_id, open_time;
