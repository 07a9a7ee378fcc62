-- Fails when an index has two values of one day.
select index_name, day
from {{ ref('stg_sentiment') }}
where {{ instant_is_built('slot') }}
group by index_name, day
having count(*) > 1
