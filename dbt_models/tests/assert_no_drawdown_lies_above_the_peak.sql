-- Fails when a close is higher than the peak it is measured from, or has lost more than all.
select venue, instrument, day
from {{ ref('price_returns_daily') }}
where {{ day_is_built('day') }} and not drawdown_pct between -100 and 0
