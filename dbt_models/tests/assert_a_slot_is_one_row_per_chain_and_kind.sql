-- Fails when a chain has two fees, or two recommendations, in one slot.
select chain, kind, slot
from {{ ref('stg_gas_prices') }}
group by chain, kind, slot
having count(*) > 1
