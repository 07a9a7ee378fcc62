-- Fails when the mean of a week is made of more values than a week has days, or of none.
select index_name, day
from {{ ref('sentiment_daily') }}
where {{ day_is_built('day') }} and not values_7d between 1 and 7
