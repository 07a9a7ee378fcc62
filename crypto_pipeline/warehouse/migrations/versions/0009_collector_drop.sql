drop schema collector cascade;
drop view warehouse.asked_providers;
drop view warehouse.source_changes;
drop view warehouse.newest_sources;
drop function warehouse.schedules ();
drop function warehouse.schedule_ticks ();
drop view warehouse.dollar_candles;
drop function warehouse.name_id (text);
drop function warehouse.row_id (timestamptz, integer);

create or replace function market.ohlc_between(window_start timestamptz, window_end timestamptz)
    returns setof market.ohlc
    language sql stable parallel safe
    begin atomic
        select
            series.venue, series.instrument, series.interval, ohlc.open_time, ohlc.open, ohlc.high,
            ohlc.low, ohlc.close, ohlc.volume, ohlc.quote_volume, ohlc.trade_count, loads.source,
            loads.fetched_at
        from warehouse.series
        cross join lateral (
            select
                hot.open_time, hot.load_id, hot.trade_count, hot.open, hot.high, hot.low,
                hot.close, hot.volume, hot.quote_volume
            from warehouse.ohlc as hot
            where
                hot.series_id = series.series_id
                and hot.open_time >= window_start
                and hot.open_time < window_end
            union all
            select
                old.open_time, old.load_id, old.trade_count, old.open, old.high, old.low,
                old.close, old.volume, old.quote_volume
            from warehouse.ohlc_unpacked as old
            where
                old.series_id = series.series_id
                and old.day >= (window_start at time zone 'utc')::date
                and old.day <= (window_end at time zone 'utc')::date
                and old.open_time >= window_start
                and old.open_time < window_end
        ) as ohlc
        left join warehouse.loads using (load_id);
    end;


drop view market.ohlc_by_day;

create or replace function market.asset_id(named text) returns text
    language sql stable parallel safe
    return (
        select asset_id
        from warehouse.assets
        where lower(named) in (asset_id, lower(symbol), lower(name))
        order by lower(named) = asset_id desc, lower(named) = lower(symbol) desc, asset_id
        limit 1
    );

