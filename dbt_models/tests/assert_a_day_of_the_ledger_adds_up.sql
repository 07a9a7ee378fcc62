-- Fails when what is there, explained and missing is less than what is expected.
select dataset, series, day
from {{ ref('data_completeness_daily') }}
where
    {{ day_is_built('day') }}
    and (
        present_slots + explained_slots + missing_slots < expected_slots
        or not coalesce(completeness_pct, 100) between 0 and 100
    )
