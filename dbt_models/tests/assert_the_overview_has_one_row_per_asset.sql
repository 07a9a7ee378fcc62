-- Fails when an asset is told of twice.
select asset_id
from {{ ref('market_overview') }}
group by asset_id
having count(*) > 1
