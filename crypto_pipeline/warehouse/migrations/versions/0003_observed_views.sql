create view market.assets as
select asset_id, symbol, name
from warehouse.assets;
comment on view market.assets is 'Every asset this release knows: one id and one symbol, whatever a source calls it.';
comment on column market.assets.asset_id is 'What it is called here, like bitcoin';
comment on column market.assets.symbol is 'What markets call it, like BTC';
comment on column market.assets.name is 'What people call it, like Bitcoin';

create function market.asset_id(named text) returns text
    language sql stable parallel safe
    return (
        select asset_id
        from warehouse.assets
        where lower(named) in (asset_id, lower(symbol), lower(name))
        order by lower(named) = asset_id desc, lower(named) = lower(symbol) desc, asset_id
        limit 1
    );
comment on function market.asset_id is
    'The asset''s id by its id, symbol or name in any case; null where none is called that.';

create view market.market_prices as
select
    series.name as asset_id,
    assets.symbol as symbol,
    kept.slot,
    kept.price_usd,
    kept.market_cap_usd,
    kept.volume_24h_usd,
    kept.change_24h_pct,
    kept.observed_at,
    kept.is_refilled,
    loads.source,
    loads.fetched_at
from warehouse.market_prices as kept
join warehouse.series using (series_id)
join warehouse.loads using (load_id)
left join warehouse.assets on assets.asset_id = series.name;
comment on view market.market_prices is
    'What assets cost, over all markets: one row per asset and five-minute slot.';
comment on column market.market_prices.asset_id is 'The asset, like bitcoin';
comment on column market.market_prices.symbol is 'The asset''s symbol, like BTC';
comment on column market.market_prices.slot is 'Beginning of the slot the value belongs to (UTC)';
comment on column market.market_prices.price_usd is 'Price of one unit (USD)';
comment on column market.market_prices.market_cap_usd is 'Price times circulating supply (USD)';
comment on column market.market_prices.volume_24h_usd is 'Traded on all markets in the last 24 hours (USD)';
comment on column market.market_prices.change_24h_pct is 'Change of the price in the last 24 hours (percent)';
comment on column market.market_prices.observed_at is 'The source''s own time of the value (UTC)';
comment on column market.market_prices.is_refilled is 'Had later from a source''s history, not when it was the present (yes or no)';
comment on column market.market_prices.source is 'The provider that answered';
comment on column market.market_prices.fetched_at is 'When we fetched it, UTC';

create view market.sentiment as
select
    series.name as index_name,
    (kept.slot at time zone 'utc')::date as day,
    kept.slot,
    kept.value,
    kept.classification,
    kept.is_provisional,
    kept.observed_at,
    loads.source,
    loads.fetched_at
from warehouse.sentiment as kept
join warehouse.series using (series_id)
join warehouse.loads using (load_id);
comment on view market.sentiment is
    'Published sentiment indices: one row per index and day.';
comment on column market.sentiment.index_name is 'The index, like fear_greed';
comment on column market.sentiment.day is 'UTC day the value belongs to';
comment on column market.sentiment.slot is 'Beginning of the slot the value belongs to (UTC)';
comment on column market.sentiment.value is 'The published value (points of the index)';
comment on column market.sentiment.classification is 'The publisher''s own word for the value (words)';
comment on column market.sentiment.is_provisional is 'The day is not over (yes or no)';
comment on column market.sentiment.observed_at is 'The source''s own time of the value (UTC)';
comment on column market.sentiment.source is 'The provider that answered';
comment on column market.sentiment.fetched_at is 'When we fetched it, UTC';

create view market.gas_prices as
select
    split_part(series.name, '/', 1) as chain,
    split_part(series.name, '/', 2) as kind,
    kept.slot,
    kept.base_fee_gwei,
    kept.priority_fee_p10_gwei,
    kept.priority_fee_p50_gwei,
    kept.priority_fee_p90_gwei,
    kept.slow_gwei,
    kept.standard_gwei,
    kept.fast_gwei,
    kept.slow_sat_vb,
    kept.standard_sat_vb,
    kept.fast_sat_vb,
    kept.first_block,
    kept.last_block,
    kept.observed_at,
    kept.is_refilled,
    loads.source,
    loads.fetched_at
from warehouse.gas_prices as kept
join warehouse.series using (series_id)
join warehouse.loads using (load_id);
comment on view market.gas_prices is
    'What a transaction costs: one row per chain, kind and five-minute slot.';
comment on column market.gas_prices.chain is 'The chain, like ethereum';
comment on column market.gas_prices.kind is 'fees: of the slot''s blocks; tiers: what somebody recommends';
comment on column market.gas_prices.slot is 'Beginning of the slot the value belongs to (UTC)';
comment on column market.gas_prices.base_fee_gwei is 'Median base fee of the slot''s blocks (gwei)';
comment on column market.gas_prices.priority_fee_p10_gwei is 'Median of the blocks'' 10th percentile (gwei)';
comment on column market.gas_prices.priority_fee_p50_gwei is 'Median of the blocks'' 50th percentile (gwei)';
comment on column market.gas_prices.priority_fee_p90_gwei is 'Median of the blocks'' 90th percentile (gwei)';
comment on column market.gas_prices.slow_gwei is 'Recommended to those who can wait (gwei)';
comment on column market.gas_prices.standard_gwei is 'Recommended to most (gwei)';
comment on column market.gas_prices.fast_gwei is 'Recommended to those in a hurry (gwei)';
comment on column market.gas_prices.slow_sat_vb is 'Recommended to those who can wait an hour (sat/vB)';
comment on column market.gas_prices.standard_sat_vb is 'Recommended for half an hour (sat/vB)';
comment on column market.gas_prices.fast_sat_vb is 'Recommended for the next block (sat/vB)';
comment on column market.gas_prices.first_block is 'The slot''s first block (block number)';
comment on column market.gas_prices.last_block is 'The slot''s last block (block number)';
comment on column market.gas_prices.observed_at is 'The source''s own time of the value (UTC)';
comment on column market.gas_prices.is_refilled is 'Had later from a source''s history, not when it was the present (yes or no)';
comment on column market.gas_prices.source is 'The provider that answered';
comment on column market.gas_prices.fetched_at is 'When we fetched it, UTC';
