select
    article_id,
    published_at,
    (published_at at time zone 'utc')::date as day,
    title,
    url,
    publisher,
    summary,
    language,
    asset_ids,
    sentiment,
    sightings,
    feeds,
    source,
    first_seen_at,
    fetched_at
from {{ source('market', 'news') }}
