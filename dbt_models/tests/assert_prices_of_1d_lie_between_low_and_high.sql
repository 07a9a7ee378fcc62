-- Fails when a candle of 1d opens or closes outside its own range.
select venue, instrument, day
from {{ ref('candles_1d') }}
where {{ day_is_built('day') }} and not (low <= least(open, close) and greatest(open, close) <= high)
