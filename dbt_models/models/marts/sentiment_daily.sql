with published as (
    select
        index_name,
        day,
        value,
        classification,
        is_provisional,
        source,
        case when lag(day) over index = day - 1 then lag(value) over index end as previous_value,
        avg(value) over week as mean_7d,
        count(*) over week as values_7d
    from {{ ref('stg_sentiment') }}
    where {{ instant_is_built('slot', before=6, after=6) }}
    window
        index as (partition by index_name order by day),
        week as (
            partition by index_name order by day range between '6 days' preceding and current row
        )
)

select
    index_name,
    day,
    value,
    classification,
    previous_value,
    value - previous_value as change,
    mean_7d,
    values_7d,
    is_provisional,
    source
from published
where {{ day_is_built('day', after=6) }}
