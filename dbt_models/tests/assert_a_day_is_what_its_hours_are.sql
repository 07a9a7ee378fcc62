-- Fails when a day's range, volume or completeness is not that of its hours.
{{ config(meta={'dagster': {'ref': {'name': 'candles_1h'}}}) }}
with hours as (
    select
        venue,
        instrument,
        (open_time at time zone 'utc')::date as day,
        base_interval,
        max(high) as high,
        min(low) as low,
        sum(volume) as volume,
        bool_and(is_complete) as is_complete
    from {{ ref('candles_1h') }}
    where {{ instant_is_built('open_time') }}
    group by 1, 2, 3, 4
)

select days.venue, days.instrument, days.day
from {{ ref('candles_1d') }} as days
inner join hours using (venue, instrument, day, base_interval)
where
    {{ day_is_built('days.day') }}
    and (
        (days.high, days.low, days.volume) is distinct from (hours.high, hours.low, hours.volume)
        or (days.is_complete and not hours.is_complete)
    )
