-- Fails when an hour is counted in which nobody wrote anything, or less told than written.
select hour, asset_id, publisher
from {{ ref('news_hourly') }}
where {{ instant_is_built('hour') }} and (articles < 1 or judged_articles > articles)
