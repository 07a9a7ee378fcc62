with candles as (
    select venue, instrument, day, close, is_complete
    from {{ ref('candles_1d') }}
    where day >= date '{{ first_day(30) }}'
),

-- The highest close of all that lies before them.
former as (
    select venue, instrument, max(close) as peak
    from {{ ref('candles_1d') }}
    where day < date '{{ first_day(30) }}'
    group by venue, instrument
),

followed as (
    select
        *,
        -- Of the very day before: a return over a hole is none of a day.
        case when lag(day) over series = day - 1 then lag(close) over series end as previous_close,
        is_complete and coalesce(lag(is_complete) over series, false) as both_complete,
        max(close) over series as peak
    from candles
    window series as (partition by venue, instrument order by day)
),

returned as (
    select
        *,
        100 * (close / nullif(previous_close, 0) - 1)::double precision as return_pct,
        ln((nullif(close, 0) / nullif(previous_close, 0))::double precision) as log_return
    from followed
),

measured as (
    select
        *,
        100 * sqrt(365) * stddev_samp(log_return) over week as volatility_7d_pct,
        count(log_return) over week as returns_7d,
        100 * sqrt(365) * stddev_samp(log_return) over month as volatility_30d_pct,
        count(log_return) over month as returns_30d
    from returned
    window
        week as (
            partition by venue, instrument order by day
            range between '6 days' preceding and current row
        ),
        month as (
            partition by venue, instrument order by day
            range between '29 days' preceding and current row
        )
)

select
    measured.venue,
    measured.instrument,
    measured.day,
    measured.close,
    measured.previous_close,
    measured.return_pct,
    measured.log_return,
    measured.volatility_7d_pct,
    measured.returns_7d,
    measured.volatility_30d_pct,
    measured.returns_30d,
    greatest(measured.peak, former.peak) as peak_close,
    100 * (
        measured.close / nullif(greatest(measured.peak, former.peak), 0) - 1
    )::double precision as drawdown_pct,
    measured.previous_close is not null and measured.both_complete as is_complete
from measured
left join former using (venue, instrument)
where measured.day >= date '{{ first_day() }}'
