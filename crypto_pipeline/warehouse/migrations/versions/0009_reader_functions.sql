-- A view reads with its owner's rights, a function with its caller's: what a reader may call reads views.
create or replace function market.asset_id(named text) returns text
    language sql stable parallel safe
    return (
        select asset_id
        from market.assets
        where lower(named) in (asset_id, lower(symbol), lower(name))
        order by lower(named) = asset_id desc, lower(named) = lower(symbol) desc, asset_id
        limit 1
    );

create view market.ohlc_by_day as
select
    series.venue,
    series.instrument,
    series.interval,
    ohlc.day,
    ohlc.open_time,
    ohlc.open,
    ohlc.high,
    ohlc.low,
    ohlc.close,
    ohlc.volume,
    ohlc.quote_volume,
    ohlc.trade_count,
    loads.source,
    loads.fetched_at
from warehouse.series
cross join lateral (
    select
        (hot.open_time at time zone 'utc')::date as day, hot.open_time, hot.load_id,
        hot.trade_count, hot.open, hot.high, hot.low, hot.close, hot.volume, hot.quote_volume
    from warehouse.ohlc as hot
    where hot.series_id = series.series_id
    union all
    select
        old.day, old.open_time, old.load_id, old.trade_count, old.open, old.high, old.low,
        old.close, old.volume, old.quote_volume
    from warehouse.ohlc_unpacked as old
    where old.series_id = series.series_id
) as ohlc
left join warehouse.loads using (load_id);
comment on view market.ohlc_by_day is
    'The candles of market.ohlc with their UTC day: a condition on it leaves packed days outside it packed.';
comment on column market.ohlc_by_day.venue is 'The exchange';
comment on column market.ohlc_by_day.instrument is 'BASE-QUOTE';
comment on column market.ohlc_by_day.interval is 'Length of the candle';
comment on column market.ohlc_by_day.day is 'The UTC day that it opens in';
comment on column market.ohlc_by_day.open_time is 'When the candle opens, UTC, as the venue says';
comment on column market.ohlc_by_day.open is 'First price, quote per base';
comment on column market.ohlc_by_day.high is 'Highest price, quote per base';
comment on column market.ohlc_by_day.low is 'Lowest price, quote per base';
comment on column market.ohlc_by_day.close is 'Last price, quote per base';
comment on column market.ohlc_by_day.volume is 'Amount traded, base asset';
comment on column market.ohlc_by_day.quote_volume is 'Amount traded, quote asset';
comment on column market.ohlc_by_day.trade_count is 'Number of trades';
comment on column market.ohlc_by_day.source is 'The provider that answered';
comment on column market.ohlc_by_day.fetched_at is 'When we fetched it, UTC';

create or replace function market.ohlc_between(window_start timestamptz, window_end timestamptz)
    returns setof market.ohlc
    language sql stable parallel safe
    begin atomic
        select
            ohlc.venue, ohlc.instrument, ohlc.interval, ohlc.open_time, ohlc.open, ohlc.high,
            ohlc.low, ohlc.close, ohlc.volume, ohlc.quote_volume, ohlc.trade_count, ohlc.source,
            ohlc.fetched_at
        from market.ohlc_by_day as ohlc
        where
            ohlc.day >= (window_start at time zone 'utc')::date
            and ohlc.day <= (window_end at time zone 'utc')::date
            and ohlc.open_time >= window_start
            and ohlc.open_time < window_end;
    end;
