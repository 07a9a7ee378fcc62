-- Fails when a day has a candle and no row of returns, or another close there.
{{ config(meta={'dagster': {'ref': {'name': 'price_returns_daily'}}}) }}
select candles.venue, candles.instrument, candles.day
from {{ ref('candles_1d') }} as candles
left join {{ ref('price_returns_daily') }} as returns using (venue, instrument, day)
where {{ day_is_built('candles.day') }} and returns.close is distinct from candles.close
