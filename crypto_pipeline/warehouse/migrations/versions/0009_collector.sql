-- The first users' scripts find these by their own names: options=-csearch_path=collector in the
-- address. Unlike their tables, each asset has one spelling here, and a condition takes any.
create schema collector;
comment on schema collector is
    'The tables that the first users'' scripts query, as views; connect with options=-csearch_path=collector.';

create domain collector.symbol as text;
comment on domain collector.symbol is
    'An asset''s id, like bitcoin; where collector is in the search_path, = ''BTC'' and = ''BITCOIN'' find it too.';

-- An operator is chosen by its types alone: a literal is taken for a symbol, a driver's parameter may
-- be any of the three, and either side may come first.
do $$
declare
    one text;
    other text;
    said text;
    sign text;
begin
    for one, other in values
        ('collector.symbol', 'collector.symbol'),
        ('collector.symbol', 'text'),
        ('collector.symbol', 'varchar'),
        ('text', 'collector.symbol'),
        ('varchar', 'collector.symbol')
    loop
        for said, sign in values ('is_called', '='), ('is_not_called', '<>') loop
            execute format(
                'create function collector.%s(one %s, other %s) returns boolean'
                || ' language sql stable parallel safe'
                || ' return coalesce(market.asset_id(one::text), one::text)'
                || ' %s coalesce(market.asset_id(other::text), other::text)',
                said, one, other, sign
            );
            execute format(
                'create operator collector.%s (leftarg = %s, rightarg = %s, function = collector.%s)',
                sign, one, other, said
            );
        end loop;
    end loop;
end
$$;

create function warehouse.row_id(moment timestamptz, series_id integer) returns bigint
    language sql immutable strict parallel safe
    return extract(epoch from moment)::bigint * 100000 + series_id;
comment on function warehouse.row_id is
    'A number for the row of a series and time: the same whenever it is asked for, greater for later ones.';

create function warehouse.name_id(named text) returns integer
    language sql immutable strict parallel safe
    return ('x' || left(md5(named), 7))::bit(28)::integer;
comment on function warehouse.name_id is 'A number for what has only a name: the same on every server.';

create view warehouse.dollar_candles as
select distinct on (venue, base, interval)
    series_id,
    venue,
    interval,
    coalesce(market.asset_id(base), base) as asset_id
from (
    select
        series_id,
        venue,
        interval,
        split_part(instrument, '-', 1) as base,
        array_position(
            array['USDT', 'USDC', 'USD', 'FDUSD', 'TUSD', 'DAI', 'BUSD'],
            split_part(instrument, '-', 2)
        ) as choice
    from warehouse.series
    where dataset = 'ohlc'
) as line
where choice is not null
order by venue, base, interval, choice;
comment on view warehouse.dollar_candles is
    'The series of candles in US dollars or a coin pegged to them: one for each venue, asset and interval.';

create view collector.market_prices as
select
    warehouse.row_id(kept.slot, kept.series_id) as id,
    series.name::collector.symbol as symbol,
    kept.price_usd::double precision as price_usd,
    kept.market_cap_usd::double precision as market_cap,
    kept.volume_24h_usd::double precision as volume_24h,
    kept.change_24h_pct::double precision as price_change_24h,
    kept.slot as timestamp,
    loads.source
from warehouse.market_prices as kept
join warehouse.series using (series_id)
left join warehouse.loads using (load_id)
where series.dataset = 'market_prices';
comment on view collector.market_prices is
    'What assets cost, over all markets: one row per asset and five minutes.';
comment on column collector.market_prices.id is 'Its number: greater for a later time';
comment on column collector.market_prices.symbol is
    'The asset''s id, like bitcoin; a condition takes any spelling of it, like BTC or BITCOIN';
comment on column collector.market_prices.price_usd is 'Price of one unit (USD)';
comment on column collector.market_prices.market_cap is 'Price times circulating supply (USD)';
comment on column collector.market_prices.volume_24h is 'Traded on all markets in the last 24 hours (USD)';
comment on column collector.market_prices.price_change_24h is 'Change of the price in the last 24 hours (percent)';
comment on column collector.market_prices.timestamp is
    'Beginning of the five minutes that the price belongs to, UTC';
comment on column collector.market_prices.source is 'The provider that answered';

create view collector.news_articles as
select
    articles.article_id as id,
    articles.title,
    articles.summary as content,
    articles.publisher as source,
    articles.url,
    articles.published_at,
    case sign(articles.sentiment)
        when 1 then 'positive'
        when 0 then 'neutral'
        when -1 then 'negative'
    end as sentiment,
    array_to_string(articles.asset_ids, ',') as tags,
    articles.first_seen_at as created_at
from warehouse.articles;
comment on view collector.news_articles is
    'Articles about the market: one row by address, however many sources told it.';
comment on column collector.news_articles.id is 'Its number in market.news';
comment on column collector.news_articles.title is 'Its headline';
comment on column collector.news_articles.content is
    'What its source says it is about; null where it says nothing, for whole articles are not kept';
comment on column collector.news_articles.source is 'Who published it';
comment on column collector.news_articles.url is 'Its address, without what tracks readers';
comment on column collector.news_articles.published_at is 'When it was published, UTC';
comment on column collector.news_articles.sentiment is
    'positive, neutral or negative, as the readers of a source think; null where none asks them';
comment on column collector.news_articles.tags is 'The assets that it mentions, by their ids, with commas';
comment on column collector.news_articles.created_at is 'When we first had it, UTC';

create view collector.whale_transactions as
select
    null::integer as id,
    null::text as blockchain,
    null::text as transaction_hash,
    null::text as from_address,
    null::text as to_address,
    null::double precision as amount,
    null::double precision as amount_usd,
    null::timestamptz as timestamp,
    null::text as source,
    null::timestamptz as created_at
where false;
comment on view collector.whale_transactions is 'Empty: large transfers are not collected yet.';
comment on column collector.whale_transactions.id is 'Its number';
comment on column collector.whale_transactions.blockchain is 'The chain';
comment on column collector.whale_transactions.transaction_hash is 'The transaction';
comment on column collector.whale_transactions.from_address is 'Who paid';
comment on column collector.whale_transactions.to_address is 'Who got it';
comment on column collector.whale_transactions.amount is 'How much, in the chain''s own coin';
comment on column collector.whale_transactions.amount_usd is 'How much (USD)';
comment on column collector.whale_transactions.timestamp is 'When, UTC';
comment on column collector.whale_transactions.source is 'The provider that told it';
comment on column collector.whale_transactions.created_at is 'When we first had it, UTC';

create view collector.sentiment_metrics as
select
    warehouse.row_id(kept.slot, kept.series_id) as id,
    series.name as metric_name,
    kept.value::double precision as value,
    kept.classification,
    kept.slot as timestamp,
    loads.source
from warehouse.sentiment as kept
join warehouse.series using (series_id)
left join warehouse.loads using (load_id);
comment on view collector.sentiment_metrics is 'Published sentiment indices: one row per index and day.';
comment on column collector.sentiment_metrics.id is 'Its number: greater for a later day';
comment on column collector.sentiment_metrics.metric_name is 'The index, like fear_greed';
comment on column collector.sentiment_metrics.value is 'The published value (points of the index)';
comment on column collector.sentiment_metrics.classification is 'The publisher''s own word for the value';
comment on column collector.sentiment_metrics.timestamp is 'Beginning of the UTC day that the value belongs to';
comment on column collector.sentiment_metrics.source is 'The provider that answered';

create view collector.gas_prices as
select
    warehouse.row_id(kept.slot, kept.series_id) as id,
    split_part(series.name, '/', 1) as blockchain,
    coalesce(kept.standard_gwei, kept.base_fee_gwei + kept.priority_fee_p50_gwei)::double precision
        as gas_price_gwei,
    coalesce(kept.fast_gwei, kept.base_fee_gwei + kept.priority_fee_p90_gwei)::double precision
        as fast_gas_price,
    coalesce(kept.standard_gwei, kept.base_fee_gwei + kept.priority_fee_p50_gwei)::double precision
        as standard_gas_price,
    coalesce(kept.slow_gwei, kept.base_fee_gwei + kept.priority_fee_p10_gwei)::double precision
        as slow_gas_price,
    kept.slot as timestamp,
    loads.source
from warehouse.gas_prices as kept
join warehouse.series using (series_id)
left join warehouse.loads using (load_id)
where coalesce(kept.standard_gwei, kept.base_fee_gwei) is not null;
comment on view collector.gas_prices is
    'What a transaction costs on chains that count in gwei: one row per chain, source and five minutes.';
comment on column collector.gas_prices.id is 'Its number: greater for a later time';
comment on column collector.gas_prices.blockchain is 'The chain, like ethereum';
comment on column collector.gas_prices.gas_price_gwei is 'The standard price (gwei)';
comment on column collector.gas_prices.fast_gas_price is
    'Recommended to those in a hurry, or the base fee and the blocks'' 90th percentile of tips (gwei)';
comment on column collector.gas_prices.standard_gas_price is
    'Recommended to most, or the base fee and the blocks'' median of tips (gwei)';
comment on column collector.gas_prices.slow_gas_price is
    'Recommended to those who can wait, or the base fee and the blocks'' 10th percentile of tips (gwei)';
comment on column collector.gas_prices.timestamp is 'Beginning of the five minutes, UTC';
comment on column collector.gas_prices.source is 'The provider that answered';

create view collector.blockchain_stats as
select
    null::integer as id,
    null::text as blockchain,
    null::integer as latest_block,
    null::bigint as total_transactions,
    null::double precision as network_hashrate,
    null::double precision as difficulty,
    null::timestamptz as timestamp,
    null::text as source
where false;
comment on view collector.blockchain_stats is 'Empty: statistics of chains are not collected yet.';
comment on column collector.blockchain_stats.id is 'Its number';
comment on column collector.blockchain_stats.blockchain is 'The chain';
comment on column collector.blockchain_stats.latest_block is 'The newest block (block number)';
comment on column collector.blockchain_stats.total_transactions is 'Transactions since the chain began';
comment on column collector.blockchain_stats.network_hashrate is
    'Hashes that the network tries in a second (hashes/s)';
comment on column collector.blockchain_stats.difficulty is 'How hard a block is to find';
comment on column collector.blockchain_stats.timestamp is 'When, UTC';
comment on column collector.blockchain_stats.source is 'The provider that told it';

create view collector.cached_market_data as
select
    warehouse.row_id(newest.slot, series.series_id) as id,
    series.name::collector.symbol as symbol,
    newest.price_usd::double precision as price,
    newest.market_cap_usd::double precision as market_cap,
    newest.volume_24h_usd::double precision as volume_24h,
    newest.change_24h_pct::double precision as change_24h,
    candles.high::double precision as high_24h,
    candles.low::double precision as low_24h,
    loads.source as provider,
    loads.fetched_at
from warehouse.series
cross join lateral (
    select kept.slot, kept.load_id, kept.price_usd, kept.market_cap_usd, kept.volume_24h_usd, kept.change_24h_pct
    from warehouse.market_prices as kept
    where kept.series_id = series.series_id
    order by kept.slot desc
    limit 1
) as newest
left join warehouse.loads using (load_id)
cross join lateral (
    select max(kept.high) as high, min(kept.low) as low
    from warehouse.dollar_candles as line
    join warehouse.ohlc as kept on kept.series_id = line.series_id
    where
        line.asset_id = series.name
        and kept.open_time >= newest.slot - interval '24 hours'
        and kept.open_time < newest.slot
) as candles
where series.dataset = 'market_prices';
comment on view collector.cached_market_data is
    'The newest price of each asset: one row per asset; market_prices has those before.';
comment on column collector.cached_market_data.id is 'Its number, as in market_prices';
comment on column collector.cached_market_data.symbol is
    'The asset''s id, like bitcoin; a condition takes any spelling of it, like BTC or BITCOIN';
comment on column collector.cached_market_data.price is 'Price of one unit (USD)';
comment on column collector.cached_market_data.market_cap is 'Price times circulating supply (USD)';
comment on column collector.cached_market_data.volume_24h is 'Traded on all markets in the last 24 hours (USD)';
comment on column collector.cached_market_data.change_24h is 'Change of the price in the last 24 hours (percent)';
comment on column collector.cached_market_data.high_24h is
    'Highest trade of the 24 hours before in our candles in US dollars (USD); null where there are none';
comment on column collector.cached_market_data.low_24h is
    'Lowest trade of the 24 hours before in our candles in US dollars (USD); null where there are none';
comment on column collector.cached_market_data.provider is 'The provider that answered';
comment on column collector.cached_market_data.fetched_at is 'When we fetched it, UTC';

create view collector.cached_ohlc as
select
    warehouse.row_id(kept.open_time, line.series_id) as id,
    line.asset_id::collector.symbol as symbol,
    line.interval,
    kept.open_time as timestamp,
    kept.open::double precision as open,
    kept.high::double precision as high,
    kept.low::double precision as low,
    kept.close::double precision as close,
    kept.volume::double precision as volume,
    line.venue as provider,
    loads.fetched_at
from warehouse.dollar_candles as line
cross join lateral (
    select hot.open_time, hot.load_id, hot.open, hot.high, hot.low, hot.close, hot.volume
    from warehouse.ohlc as hot
    where hot.series_id = line.series_id
    union all
    select old.open_time, old.load_id, old.open, old.high, old.low, old.close, old.volume
    from warehouse.ohlc_unpacked as old
    where old.series_id = line.series_id
) as kept
left join warehouse.loads using (load_id);
comment on view collector.cached_ohlc is
    'Closed candles in US dollars or a coin pegged to them: one row per venue, asset, interval and time.';
comment on column collector.cached_ohlc.id is 'Its number: greater for a later time';
comment on column collector.cached_ohlc.symbol is
    'The base asset''s id, like bitcoin; a condition takes any spelling of it, like BTC or BITCOIN';
comment on column collector.cached_ohlc.interval is
    'Length of the candle as it is collected, like 1m; market.candles makes others';
comment on column collector.cached_ohlc.timestamp is 'When the candle opens, UTC';
comment on column collector.cached_ohlc.open is
    'First price (USD, or a coin pegged to it: USDT where the venue has several)';
comment on column collector.cached_ohlc.high is 'Highest price (USD)';
comment on column collector.cached_ohlc.low is 'Lowest price (USD)';
comment on column collector.cached_ohlc.close is 'Last price (USD)';
comment on column collector.cached_ohlc.volume is 'Amount traded (base asset)';
comment on column collector.cached_ohlc.provider is 'The exchange';
comment on column collector.cached_ohlc.fetched_at is 'When we fetched it, UTC';
