{{ config(materialized='view') }}
-- depends_on: {{ ref('stg_ohlc') }}
with told as (
    select
        asset_id,
        (array_agg(market_cap_usd order by slot desc) filter (where market_cap_usd is not null))[1]
            as market_cap_usd,
        (array_agg(volume_24h_usd order by slot desc) filter (where volume_24h_usd is not null))[1]
            as volume_24h_usd
    from {{ ref('stg_market_prices') }}
    where slot >= now() - interval '24 hours'
    group by asset_id
),

-- The newest close of each market in dollars, if it is of the last quarter of an hour.
closes as (
    select distinct on (venue, instrument)
        venue,
        split_part(instrument, '-', 1) as symbol,
        close
    from market.ohlc_between(now() - interval '75 minutes', now())
    where
        split_part(instrument, '-', 2) in ('USD', 'USDT', 'USDC')
        and open_time + market.interval_length("interval") >= now() - interval '15 minutes'
    order by venue, instrument, open_time + market.interval_length("interval") desc
),

quotes as (
    select symbol, close as price, venue from closes
    union all
    select upper(symbol), price_usd, null
    from {{ source('market', 'latest_prices') }}
    where slot >= now() - interval '15 minutes'
),

apart as (
    select
        symbol,
        count(*) as quotes,
        count(distinct venue) as venues,
        min(price) as lowest_usd,
        max(price) as highest_usd
    from quotes
    group by symbol
)

select
    latest.asset_id,
    latest.symbol,
    latest.price_usd,
    coalesce(latest.change_24h_pct, 100 * (latest.price_usd / nullif(former.price_usd, 0) - 1))
        as change_24h_pct,
    told.market_cap_usd,
    case
        when told.market_cap_usd is not null
            then rank() over (order by told.market_cap_usd desc nulls last)
    end as market_cap_rank,
    told.volume_24h_usd,
    latest.slot as priced_at,
    latest.source,
    coalesce(apart.venues, 0) as venues,
    apart.lowest_usd,
    apart.highest_usd,
    case
        when apart.quotes > 1
            then 100 * (apart.highest_usd / nullif(apart.lowest_usd, 0) - 1)
    end as spread_pct
from {{ source('market', 'latest_prices') }} as latest
left join told using (asset_id)
left join {{ ref('stg_market_prices') }} as former
    on former.asset_id = latest.asset_id and former.slot = latest.slot - interval '24 hours'
left join apart on apart.symbol = upper(latest.symbol)
