select
    date_trunc('hour', news.published_at, 'utc') as hour,
    mentioned.asset_id,
    news.publisher,
    count(*) as articles,
    sum(news.sightings)::bigint as sightings,
    avg(news.sentiment) as mean_sentiment,
    count(news.sentiment) as judged_articles
from {{ ref('stg_news') }} as news
left join lateral unnest(news.asset_ids) as mentioned (asset_id) on true
where {{ instant_is_built('news.published_at') }}
group by 1, 2, 3
