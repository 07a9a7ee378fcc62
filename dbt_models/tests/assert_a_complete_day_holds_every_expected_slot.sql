-- Fails when a day is called complete although the ledger counts fewer slots than it expects.
{{ config(meta={'dagster': {'ref': {'name': 'candles_1d'}}}) }}
select candles.venue, candles.instrument, candles.day
from {{ ref('candles_1d') }} as candles
inner join {{ source('market', 'coverage') }} as coverage
    on
        coverage.series = candles.venue || '/' || candles.instrument || '/' || candles.base_interval
        and coverage.day = candles.day
where
    coverage.dataset = 'ohlc'
    and {{ day_is_built('coverage.day') }}
    and candles.is_complete
    and coverage.present_slots + coverage.explained_slots < coverage.expected_slots
