-- Fails when a day opens or closes outside its own range.
select venue, instrument, day
from {{ ref('candles_1d') }}
where not (low <= least(open, close) and greatest(open, close) <= high)
