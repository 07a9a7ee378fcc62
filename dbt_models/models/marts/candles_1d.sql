select
    venue,
    instrument,
    (open_time at time zone 'utc')::date as day,
    open,
    high,
    low,
    close,
    volume,
    quote_volume,
    trade_count,
    expected,
    present,
    is_complete,
    base_interval
from ({{ candles('1d') }}) as made
