select
    dataset,
    series,
    day,
    expected_slots,
    present_slots,
    explained_slots,
    missing_slots,
    expired_slots,
    completeness_pct,
    missing_slots = 0 and day < (now() at time zone 'utc')::date as is_complete
from {{ source('market', 'coverage') }}
where {{ day_is_built('day') }}
