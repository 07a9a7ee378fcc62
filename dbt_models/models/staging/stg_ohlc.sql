select
    venue,
    instrument,
    interval,
    venue || '/' || instrument || '/' || interval as series,
    open_time,
    (open_time at time zone 'utc')::date as day,
    open,
    high,
    low,
    close,
    volume,
    quote_volume,
    trade_count
from {{ source('market', 'ohlc') }}
