-- Fails when a greater percentile is the smaller number, or an hour has more slots than twelve.
select chain, kind, measure, hour
from {{ ref('gas_hourly') }}
where
    {{ instant_is_built('hour') }}
    and not (
        lowest <= p10 and p10 <= p50 and p50 <= p90 and p90 <= highest and slots between 1 and 12
    )
