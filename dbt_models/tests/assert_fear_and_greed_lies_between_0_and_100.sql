-- Fails when the index is a number that it never is.
select venue, instrument, day
from {{ ref('fear_greed_vs_price') }}
where {{ day_is_built('day') }} and not fear_greed between 0 and 100
