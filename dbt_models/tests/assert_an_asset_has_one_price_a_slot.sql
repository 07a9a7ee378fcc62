-- Fails when an asset has two prices in one slot.
select asset_id, slot
from {{ ref('stg_market_prices') }}
where {{ instant_is_built('slot') }}
group by asset_id, slot
having count(*) > 1
