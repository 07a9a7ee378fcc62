-- Fails when a provider fails more often than it is asked, or half its answers are slower than most.
select provider, host, day
from {{ ref('provider_reliability_daily') }}
where {{ day_is_built('day') }} and (failures > requests or latency_p50_ms > latency_p95_ms)
