create function market.interval_length(name text) returns interval
    language plpgsql immutable strict parallel safe
    as $$
declare
    units constant jsonb := '{"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "M": "month"}';
    length interval;
begin
    if name ~ '^[1-9][0-9]{0,3}[smhdwM]$' then
        length := (left(name, -1) || ' ' || (units ->> right(name, 1)))::interval;
    end if;
    if length is null or right(name, 1) in ('s', 'm', 'h') and 86400 % extract(epoch from length) > 0 then
        raise exception '% is not an interval', quote_literal(name)
            using hint = 'Write a number and s, m, h, d, w or M for months, like 5m, 4h, 1d; less than a day must divide it.',
            errcode = 'invalid_parameter_value';
    end if;
    return length;
end
$$;
comment on function market.interval_length is
    'How long a candle of an interval lasts: 5m, 4h, 1d, 1w, 1M.';

create function market.candle_opens(length interval, moment timestamptz) returns timestamptz
    language sql immutable parallel safe
    return case
        when extract(month from length) + 12 * extract(year from length) > 0 then (
            make_date(1970, 1, 1) + length * div(
                (extract(year from moment at time zone 'utc') - 1970) * 12
                + extract(month from moment at time zone 'utc') - 1,
                extract(month from length) + 12 * extract(year from length)
            )::integer
        ) at time zone 'utc'
        when extract(day from length)::integer % 7 = 0 and extract(day from length) > 0
            then date_bin(length, moment, '1970-01-05T00:00:00Z')
        else date_bin(length, moment, '1970-01-01T00:00:00Z')
    end;
comment on function market.candle_opens is
    'When the candle opens that a moment lies in, UTC: weeks begin on Monday, months on the first.';

create view market.series as
select
    dataset,
    name as series,
    venue,
    instrument,
    case when venue is not null then interval end as interval,
    step,
    since,
    listed_at,
    delisted_at,
    is_active as is_collected
from warehouse.series;
comment on view market.series is
    'What is collected, or was: one row per series, which is one line of a dataset.';
comment on column market.series.dataset is 'What is collected, ohlc for candles';
comment on column market.series.series is 'One line of the dataset, venue/instrument/interval for ohlc';
comment on column market.series.venue is 'The exchange; null where a dataset has none';
comment on column market.series.instrument is 'BASE-QUOTE; null where a dataset has none';
comment on column market.series.interval is 'Length of a candle as it is fetched, like 1m; null where a dataset has none';
comment on column market.series.step is 'Length of a slot';
comment on column market.series.since is 'The first slot that is wanted, UTC';
comment on column market.series.listed_at is 'The first slot that the venue has, UTC; null where it has not said so';
comment on column market.series.delisted_at is 'The end of the last slot that the venue has, UTC; null while it goes on';
comment on column market.series.is_collected is 'Whether it is collected now, by the settings (yes or no)';

create function market.candles(
    venue text, instrument text, "interval" text, window_start timestamptz, window_end timestamptz
)
    returns table (
        open_time timestamptz, open numeric, high numeric, low numeric, close numeric,
        volume numeric, quote_volume numeric, trade_count bigint,
        expected bigint, present bigint, is_complete boolean, base_interval text
    )
    language plpgsql stable parallel safe
    -- Readers of market may not read the tables behind it.
    security definer
    set search_path = pg_catalog
    -- A plan for just this window leaves out the months that it does not touch.
    set plan_cache_mode = force_custom_plan
    as $$
#variable_conflict use_column
declare
    length constant interval := market.interval_length("interval");
    months constant integer := extract(month from length) + 12 * extract(year from length);
    -- The ledger is asked by days, or by whole candles of more than one.
    unit constant interval := greatest(length, interval '1 day');
    anchor constant timestamptz := market.candle_opens(length, '1970-01-05T00:00:00Z');
    base warehouse.series%rowtype;
    first_open timestamptz;
    end_open timestamptz;
begin
    select * into base
    from warehouse.series
    where
        series.dataset = 'ohlc'
        and series.venue = candles.venue
        and series.instrument = candles.instrument
        and (
            series.step = length
            or series.step <= interval '1 day'
            and (case when months > 0 then 86400 else extract(epoch from length) end)::bigint
            % extract(epoch from series.step)::bigint = 0
        )
    order by series.is_active desc, series.step
    limit 1;
    if not found then
        raise exception 'nothing is collected of % at % that makes candles of %',
            candles.instrument, candles.venue, candles."interval"
            using hint = 'select * from market.series where dataset = ''ohlc'' tells what there is.',
            errcode = 'invalid_parameter_value';
    end if;
    -- Candles that open within the window, each of them whole.
    first_open := market.candle_opens(length, window_start);
    if first_open < window_start then
        first_open := market.candle_opens(length, first_open + length);
    end if;
    end_open := market.candle_opens(length, window_end);
    if end_open < window_end then
        end_open := market.candle_opens(length, end_open + length);
    end if;
    return query
        select
            made.open_time,
            made.open_row[2],
            made.high,
            made.low,
            made.close_row[2],
            made.volume,
            made.quote_volume,
            made.trade_count,
            case
                when base.step <= interval '1 day' and told.expected @> lasting.span
                    then div(extract(epoch from upper(span) - lower(span)), extract(epoch from base.step))
                else warehouse.slot_count(told.expected * tstzmultirange(span), base.step)
            end::bigint,
            made.present,
            not told.missing && lasting.span and upper(lasting.span) <= now(),
            base.interval
        from (
            select
                case
                    when months = 0 then date_bin(length, kept.open_time, anchor)
                    else market.candle_opens(length, kept.open_time)
                end as open_time,
                -- The first and the last by time; sorting all rows of a year would take longer.
                min(array[extract(epoch from kept.open_time), kept.open]) as open_row,
                max(array[extract(epoch from kept.open_time), kept.close]) as close_row,
                max(kept.high) as high,
                min(kept.low) as low,
                sum(kept.volume) as volume,
                -- A sum of some would look like one of all.
                case when count(kept.quote_volume) = count(*) then sum(kept.quote_volume) end
                    as quote_volume,
                case when count(kept.trade_count) = count(*) then sum(kept.trade_count) end
                    as trade_count,
                count(*) as present
            from warehouse.ohlc_stored as kept
            where
                kept.series_id = base.series_id
                and kept.open_time >= first_open
                and kept.open_time < end_open
                and (
                    kept.day is null
                    or kept.day >= (first_open at time zone 'utc')::date
                    and kept.day <= (end_open at time zone 'utc')::date
                )
            group by 1
        ) as made
        cross join lateral (
            select tstzrange(made.open_time, made.open_time + length) as span
        ) as lasting
        -- What the ledger says of the day that a candle is of, or of all the days that are of it.
        join (
            select
                market.candle_opens(unit, coverage.day::timestamp at time zone 'utc') as opens,
                range_agg(coverage.expected) as expected,
                range_agg(coverage.missing) as missing
            from warehouse.coverage
            where
                coverage.series_id = base.series_id
                and coverage.day >= (first_open at time zone 'utc')::date
                and coverage.day <= (end_open at time zone 'utc')::date
            group by 1
        ) as told
            on told.opens = case
                when unit > length or months = 0 then date_bin(unit, made.open_time, anchor)
                else made.open_time
            end
        order by made.open_time;
end
$$;
comment on function market.candles is
    'Candles of any interval that open in [window_start, window_end), made of the finest that is collected: prices quote per base, volume in base, quote_volume in quote; expected and present count slots of base_interval; is_complete: it is over, and none of its slots is missing (explained ones never were). A candle without any row is left out.';

create view market.latest_prices as
select
    series.name as asset_id,
    assets.symbol,
    newest.price_usd,
    newest.market_cap_usd,
    newest.volume_24h_usd,
    newest.change_24h_pct,
    newest.slot,
    newest.observed_at,
    loads.source,
    loads.fetched_at
from warehouse.series
cross join lateral (
    select kept.*
    from warehouse.market_prices as kept
    where kept.series_id = series.series_id
    order by kept.slot desc
    limit 1
) as newest
join warehouse.loads using (load_id)
left join warehouse.assets on assets.asset_id = series.name
where series.dataset = 'market_prices';
comment on view market.latest_prices is 'What assets cost last, over all markets: one row per asset.';
comment on column market.latest_prices.asset_id is 'The asset, like bitcoin';
comment on column market.latest_prices.symbol is 'The asset''s symbol, like BTC';
comment on column market.latest_prices.price_usd is 'Price of one unit (USD)';
comment on column market.latest_prices.market_cap_usd is 'Price times circulating supply (USD)';
comment on column market.latest_prices.volume_24h_usd is 'Traded on all markets in the last 24 hours (USD)';
comment on column market.latest_prices.change_24h_pct is 'Change of the price in the last 24 hours (percent)';
comment on column market.latest_prices.slot is 'Beginning of the slot the value belongs to (UTC)';
comment on column market.latest_prices.observed_at is 'The source''s own time of the value (UTC)';
comment on column market.latest_prices.source is 'The provider that answered';
comment on column market.latest_prices.fetched_at is 'When we fetched it, UTC';

create view market.contract as
select
    held.relname::text as name,
    'view' as kind,
    part.attnum::integer as position,
    part.attname::text as column_name,
    format_type(part.atttypid, part.atttypmod) as type,
    col_description(held.oid, part.attnum) as description
from pg_class as held
join pg_attribute as part on part.attrelid = held.oid
where held.relnamespace = 'market'::regnamespace and part.attnum > 0 and not part.attisdropped
union all
select
    made.proname::text,
    'function',
    0,
    pg_get_function_arguments(made.oid),
    pg_get_function_result(made.oid),
    obj_description(made.oid, 'pg_proc')
from pg_proc as made
where made.pronamespace = 'market'::regnamespace;
comment on view market.contract is
    'What there is in this schema, which stays as it is: one row per column of a view, and one per function.';
comment on column market.contract.name is 'The view or function';
comment on column market.contract.kind is 'view or function';
comment on column market.contract.position is 'Place of the column, from 1; 0 for a function';
comment on column market.contract.column_name is 'The column; of a function its arguments';
comment on column market.contract.type is 'Type of the column; of a function what it answers';
comment on column market.contract.description is 'What it means, with its unit';
