-- Fails when a day of an instrument appears twice on one venue.
select venue, instrument, day
from {{ ref('candles_1d') }}
group by venue, instrument, day
having count(*) > 1
