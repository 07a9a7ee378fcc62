-- Fails when a candle of 15m opens or closes outside its own range.
select venue, instrument, open_time
from {{ ref('candles_15m') }}
where {{ instant_is_built('open_time') }} and not (low <= least(open, close) and greatest(open, close) <= high)
