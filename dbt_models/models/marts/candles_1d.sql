with days as (
    select
        venue,
        instrument,
        series,
        day,
        -- First and last by time of the candle, not by arrival.
        (array_agg(open order by open_time))[1] as open,
        max(high) as high,
        min(low) as low,
        (array_agg(close order by open_time desc))[1] as close,
        sum(volume) as volume,
        sum(quote_volume) as quote_volume,
        sum(trade_count) as trade_count
    from {{ ref('stg_ohlc') }}
    group by venue, instrument, series, day
)

select
    days.venue,
    days.instrument,
    days.day,
    days.open,
    days.high,
    days.low,
    days.close,
    days.volume,
    days.quote_volume,
    days.trade_count,
    coverage.expected_slots as expected,
    coverage.present_slots as present,
    coverage.missing_slots = 0 and days.day < (now() at time zone 'utc')::date as is_complete
from days
inner join {{ source('market', 'coverage') }} as coverage
    on coverage.dataset = 'ohlc' and coverage.series = days.series and coverage.day = days.day
