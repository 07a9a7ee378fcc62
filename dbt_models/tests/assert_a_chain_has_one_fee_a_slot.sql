-- Fails when a chain has two fees, or two recommendations, in one slot.
select chain, kind, slot
from {{ ref('stg_gas_prices') }}
where {{ instant_is_built('slot') }}
group by chain, kind, slot
having count(*) > 1
