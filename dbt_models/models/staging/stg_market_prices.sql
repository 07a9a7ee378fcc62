select
    asset_id,
    symbol,
    slot,
    (slot at time zone 'utc')::date as day,
    price_usd,
    market_cap_usd,
    volume_24h_usd,
    change_24h_pct,
    observed_at,
    is_refilled,
    source,
    fetched_at
from {{ source('market', 'market_prices') }}
