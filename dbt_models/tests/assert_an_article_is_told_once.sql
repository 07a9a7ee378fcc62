-- Fails when an address has two articles.
select url
from {{ ref('stg_news') }}
where {{ instant_is_built('published_at') }}
group by url
having count(*) > 1
