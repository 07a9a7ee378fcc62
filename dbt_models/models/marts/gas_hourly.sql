select
    gas.chain,
    gas.kind,
    told.measure,
    date_trunc('hour', gas.slot, 'utc') as hour,
    told.unit,
    min(told.value) as lowest,
    percentile_disc(0.1) within group (order by told.value) as p10,
    percentile_disc(0.5) within group (order by told.value) as p50,
    percentile_disc(0.9) within group (order by told.value) as p90,
    max(told.value) as highest,
    count(*) as slots
from {{ ref('stg_gas_prices') }} as gas
cross join lateral (
    values
    ('base_fee', 'gwei', gas.base_fee_gwei),
    ('priority_fee_p10', 'gwei', gas.priority_fee_p10_gwei),
    ('priority_fee_p50', 'gwei', gas.priority_fee_p50_gwei),
    ('priority_fee_p90', 'gwei', gas.priority_fee_p90_gwei),
    ('slow', 'gwei', gas.slow_gwei),
    ('standard', 'gwei', gas.standard_gwei),
    ('fast', 'gwei', gas.fast_gwei),
    ('slow', 'sat/vB', gas.slow_sat_vb),
    ('standard', 'sat/vB', gas.standard_sat_vb),
    ('fast', 'sat/vB', gas.fast_sat_vb)
) as told (measure, unit, value)
where {{ instant_is_built('gas.slot') }} and told.value is not null
group by 1, 2, 3, 4, 5
