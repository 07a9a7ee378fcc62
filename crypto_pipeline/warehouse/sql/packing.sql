-- is_packed --
-- Which of some days are packed. A slot that begins on one of them may have its row on the next.
select distinct packed.series_id, packed.day
from unnest(%(series_ids)s::integer[], %(days)s::date[]) as touched (series_id, day)
join warehouse.series using (series_id)
cross join lateral (
    select touched.day + 1 as day, (touched.day + 1)::timestamp at time zone 'utc' as midnight
) as following
join warehouse.ohlc_packed as packed
    on packed.series_id = touched.series_id
    and packed.day in (
        touched.day,
        case
            when date_bin(series.step, following.midnight, series.anchor) < following.midnight
                then following.day
        end
    );

-- unpack --
insert into warehouse.ohlc (
    series_id, open_time, load_id, trade_count, open, high, low, close, volume, quote_volume
)
select
    series_id, open_time, load_id, trade_count, open, high, low, close, volume, quote_volume
from warehouse.ohlc_unpacked
where series_id = %(series_id)s and day = any (%(days)s::date[])
order by open_time
on conflict do nothing;

-- forget_packed --
delete from warehouse.ohlc_packed
where series_id = %(series_id)s and day = any (%(days)s::date[]);

-- pack --
-- Every day of a series within a month as one row. A number is a whole number of units of its day;
-- a price tells how far it is from its close, a close how far from the day's least, an opening how
-- far from the last close, and quote volume how far from volume times close. What remains is small,
-- and is kept by digits, of which the high ones are all alike and compress to nothing.
-- A day whose numbers or times do not fit stays as it is.
insert into warehouse.ohlc_packed (
    series_id, day, candles, load_id, unit_ms, quote_per_product, first_ms, first_time, last_time,
    base, price_unit, volume_unit, quote_unit, times, load_ids, scales,
    close, close_high, open, open_high, high, high_high, low, low_high,
    volume, volume_high, volume_top, quote, quote_high, quote_top, trades, trades_high
)
with hot as materialized (
    select
        ohlc.*,
        (ohlc.open_time at time zone 'utc')::date as day,
        (extract(epoch from ohlc.open_time) * 1000)::bigint as ms,
        scale(ohlc.open) | (scale(ohlc.high)::bigint << 8) | (scale(ohlc.low)::bigint << 16)
        | (scale(ohlc.close)::bigint << 24) | (scale(ohlc.volume)::bigint << 32)
        | (coalesce(scale(ohlc.quote_volume), 0)::bigint << 40) as scales
    from warehouse.ohlc
    where
        ohlc.series_id = %(series_id)s
        and ohlc.open_time >= %(start)s
        and ohlc.open_time < %(end)s
),
seen as (
    select
        day,
        count(*) as candles,
        min(load_id) as least_load,
        max(load_id) as greatest_load,
        min(ms) as first_ms,
        min(open_time) as first_time,
        max(open_time) as last_time,
        case
            when min(ms %% %(step_ms)s) = max(ms %% %(step_ms)s) then %(step_ms)s else 1
        end as unit_ms,
        bool_and(open_time = to_timestamp(ms / 1000.0::double precision)) as is_timed,
        -- All numbers of a kind with as many decimals: the units tell how many.
        min(scales) = max(scales) and min(scales) & 4294967295 = (min(scales) & 255) * 16843009
            as is_alike,
        greatest(max(scale(open)), max(scale(high)), max(scale(low)), max(scale(close)))
            as price_scale,
        max(scale(volume)) as volume_scale,
        coalesce(max(scale(quote_volume)), 0) as quote_scale,
        greatest(
            max(min_scale(open)), max(min_scale(high)), max(min_scale(low)), max(min_scale(close))
        ) as price_digits,
        max(min_scale(volume)) as volume_digits,
        coalesce(max(min_scale(quote_volume)), 0) as quote_digits,
        greatest(max(abs(open)), max(abs(high)), max(abs(low)), max(abs(close))) as price,
        max(abs(volume)) as volume,
        coalesce(max(abs(quote_volume)), 0) as quote
    from hot
    group by day
),
fitting as (
    select
        seen.*,
        -- Only where all digits of the product are digits that quote volume is printed with.
        (
            quote_digits <= price_digits + volume_digits
            and (quote_scale >= price_digits + volume_digits or not is_alike)
            and greatest(price * volume, quote) * ('1e' || price_digits + volume_digits)::numeric
            < 2::numeric ^ 60
        )::integer as quote_per_product
    from seen
    where
        is_timed
        and greatest(price_scale, volume_scale, quote_scale) < 256
        and price * ('1e' || price_digits)::numeric < 2::numeric ^ 45
        and volume * ('1e' || volume_digits)::numeric < 2::numeric ^ 60
        and quote * ('1e' || quote_digits)::numeric < 2::numeric ^ 60
),
form as materialized (
    select
        fitting.*,
        in_quotes.digits as quoted_digits,
        ('1e' || price_digits)::numeric as prices,
        ('1e' || volume_digits)::numeric as volumes,
        ('1e' || in_quotes.digits)::numeric as quotes
    from fitting
    cross join lateral (
        select
            case quote_per_product when 1 then price_digits + volume_digits else quote_digits end
                as digits
    ) as in_quotes
),
whole as (
    select
        hot.day,
        hot.ms,
        hot.load_id,
        hot.scales,
        form.quote_per_product,
        (hot.ms - form.first_ms) / form.unit_ms as slot,
        (hot.open * form.prices)::bigint as open,
        (hot.high * form.prices)::bigint as high,
        (hot.low * form.prices)::bigint as low,
        (hot.close * form.prices)::bigint as close,
        (hot.volume * form.volumes)::bigint as volume,
        (hot.quote_volume * form.quotes)::bigint as quote,
        hot.trade_count::bigint as trades
    from hot
    join form using (day)
),
beside as (
    select
        whole.*,
        min(close) over of_day as base,
        lag(close) over (partition by day order by ms) as last_close
    from whole
    window of_day as (partition by day)
),
small as (
    select
        day,
        ms,
        base,
        slot,
        load_id,
        scales,
        close - base as close,
        open - coalesce(last_close, base) as open,
        high - close as high,
        close - low as low,
        volume,
        quote - quote_per_product * volume * close as quote,
        trades
    from beside
),
digits as (
    select
        small.*,
        warehouse.high_digits(close) as close_high,
        warehouse.high_digits(open) as open_high,
        warehouse.high_digits(high) as high_high,
        warehouse.high_digits(low) as low_high,
        warehouse.high_digits(volume) as volume_high,
        warehouse.high_digits(warehouse.high_digits(volume)) as volume_top,
        warehouse.high_digits(quote) as quote_high,
        warehouse.high_digits(warehouse.high_digits(quote)) as quote_top,
        warehouse.high_digits(trades) as trades_high
    from small
),
lists as (
    select
        day,
        min(base) as base,
        array_agg(slot::integer order by ms) as times,
        array_agg(load_id order by ms) as load_ids,
        array_agg(scales order by ms) as scales,
        array_agg(warehouse.low_digit(close) order by ms) as close,
        array_agg(close_high::integer order by ms) as close_high,
        array_agg(warehouse.low_digit(open) order by ms) as open,
        array_agg(open_high::integer order by ms) as open_high,
        array_agg(warehouse.low_digit(high) order by ms) as high,
        array_agg(high_high::integer order by ms) as high_high,
        array_agg(warehouse.low_digit(low) order by ms) as low,
        array_agg(low_high::integer order by ms) as low_high,
        array_agg(warehouse.low_digit(volume) order by ms) as volume,
        array_agg(warehouse.low_digit(volume_high) order by ms) as volume_high,
        array_agg(volume_top::integer order by ms) as volume_top,
        array_agg(warehouse.low_digit(quote) order by ms) as quote,
        array_agg(warehouse.low_digit(quote_high) order by ms) as quote_high,
        array_agg(quote_top::integer order by ms) as quote_top,
        array_agg(warehouse.low_digit(trades) order by ms) as trades,
        array_agg(trades_high::integer order by ms) as trades_high,
        bool_or(close_high <> 0) as has_close_high,
        bool_or(open_high <> 0) as has_open_high,
        bool_or(high_high <> 0) as has_high_high,
        bool_or(low_high <> 0) as has_low_high,
        bool_or(volume_high <> 0) as has_volume_high,
        bool_or(volume_top <> 0) as has_volume_top,
        bool_or(quote is not null) as has_quote,
        bool_or(quote_high <> 0) as has_quote_high,
        bool_or(quote_top <> 0) as has_quote_top,
        bool_or(trades is not null) as has_trades,
        bool_or(trades_high <> 0) as has_trades_high
    from digits
    group by day
)
select
    %(series_id)s,
    day,
    form.candles,
    case when form.least_load = form.greatest_load then form.least_load end,
    form.unit_ms,
    form.quote_per_product,
    form.first_ms,
    form.first_time,
    form.last_time,
    lists.base,
    round(('1e-' || price_digits)::numeric, case when is_alike then price_scale else price_digits end),
    round(
        ('1e-' || volume_digits)::numeric, case when is_alike then volume_scale else volume_digits end
    ),
    round(
        ('1e-' || quoted_digits)::numeric, case when is_alike then quote_scale else quoted_digits end
    ),
    case
        when extract(epoch from last_time - first_time) * 1000 / unit_ms + 1 <> candles then lists.times
    end,
    case when form.least_load <> form.greatest_load then lists.load_ids end,
    case when not form.is_alike then lists.scales end,
    lists.close,
    case when has_close_high then lists.close_high end,
    lists.open,
    case when has_open_high then lists.open_high end,
    lists.high,
    case when has_high_high then lists.high_high end,
    lists.low,
    case when has_low_high then lists.low_high end,
    lists.volume,
    case when has_volume_high then lists.volume_high end,
    case when has_volume_top then lists.volume_top end,
    case when has_quote then lists.quote end,
    case when has_quote_high then lists.quote_high end,
    case when has_quote_top then lists.quote_top end,
    case when has_trades then lists.trades end,
    case when has_trades_high then lists.trades_high end
from form
join lists using (day)
order by day
on conflict do nothing
returning day, candles;

-- differing --
-- Candles of some days that are not the same packed as they are, to the last digit.
with hot as (
    select
        open_time, load_id, trade_count, open::text, high::text, low::text, close::text,
        volume::text, quote_volume::text
    from warehouse.ohlc
    where
        series_id = %(series_id)s
        and open_time >= %(start)s
        and open_time < %(end)s
        and (open_time at time zone 'utc')::date = any (%(days)s::date[])
),
packed as (
    select
        open_time, load_id, trade_count, open::text, high::text, low::text, close::text,
        volume::text, quote_volume::text
    from warehouse.ohlc_unpacked
    where series_id = %(series_id)s and day = any (%(days)s::date[])
)
select count(*)
from (
    (table hot except table packed)
    union all
    (table packed except table hot)
) as differing;

-- delete_hot --
delete from warehouse.ohlc
where
    series_id = %(series_id)s
    and open_time >= %(start)s
    and open_time < %(end)s
    and (open_time at time zone 'utc')::date = any (%(days)s::date[]);

-- months --
-- The month partitions before a day that have rows, or had.
select to_date(right(part.relname, 7), 'YYYY_MM') as month
from pg_inherits as leaf
join pg_class as part on part.oid = leaf.inhrelid
where
    leaf.inhparent = 'warehouse.ohlc'::regclass
    and case
        when part.relname ~ '^ohlc_[0-9]{4}_[0-9]{2}$'
            then to_date(right(part.relname, 7), 'YYYY_MM') + interval '1 month' <= %(before)s::date
    end
    and pg_relation_size(part.oid) > 0
order by month;

-- series_within --
-- The series with candles within a month of which a day holds enough to be worth a row of its own.
select
    series.series_id,
    series.name,
    (extract(epoch from series.step) * 1000)::integer as step_ms
from warehouse.series
where
    series.dataset = 'ohlc'
    and series.step <= interval '1 hour'
    and exists (
        select
        from warehouse.ohlc
        where
            ohlc.series_id = series.series_id
            and ohlc.open_time >= %(start)s
            and ohlc.open_time < %(end)s
    )
order by series.series_id;

-- impatient --
-- Who waits for a month that somebody reads has others wait behind him.
set local lock_timeout = '3s';

-- lock_month --
lock table {month} in access exclusive mode;

-- is_empty --
select not exists (select from {month});

-- truncate_month --
truncate {month};

-- vacuum_month --
vacuum (analyze) {month};

-- analyze_packed --
vacuum (analyze) warehouse.ohlc_packed;

-- bytes --
-- What all candles take, with their keys.
select
    coalesce(sum(pg_total_relation_size(leaf.relid)), 0)::bigint
    + pg_total_relation_size('warehouse.ohlc_packed')
from pg_partition_tree('warehouse.ohlc') as leaf
where leaf.isleaf;
