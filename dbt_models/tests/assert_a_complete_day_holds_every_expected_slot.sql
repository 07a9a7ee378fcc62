-- Fails when a day is called complete although the ledger counts fewer slots than it expects.
select candles.venue, candles.instrument, candles.day
from {{ ref('candles_1d') }} as candles
inner join {{ source('market', 'coverage') }} as coverage
    on coverage.series like candles.venue || '/' || candles.instrument || '/%'
    and coverage.day = candles.day
where candles.is_complete and coverage.present_slots + coverage.explained_slots < coverage.expected_slots
