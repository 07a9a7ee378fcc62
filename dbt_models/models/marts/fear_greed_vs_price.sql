with prices as (
    select venue, instrument, day, close, return_pct
    from {{ ref('price_returns_daily') }}
    where {{ day_is_built('day', before=7, after=8) }}
)

select
    prices.venue,
    prices.instrument,
    prices.day,
    mood.value as fear_greed,
    mood.classification,
    mood.change as fear_greed_change,
    prices.close,
    prices.return_pct,
    next_day.return_pct as next_return_pct,
    100 * (next_week.close / nullif(prices.close, 0) - 1)::double precision as return_7d_ahead_pct
from prices
inner join {{ ref('sentiment_daily') }} as mood
    on mood.index_name = 'fear_greed' and mood.day = prices.day
left join prices as next_day
    on
        next_day.venue = prices.venue
        and next_day.instrument = prices.instrument
        and next_day.day = prices.day + 1
left join prices as next_week
    on
        next_week.venue = prices.venue
        and next_week.instrument = prices.instrument
        and next_week.day = prices.day + 7
where {{ day_is_built('prices.day', before=7, after=1) }}
