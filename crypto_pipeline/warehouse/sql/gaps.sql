-- gaps --
-- The holes of market.gaps with the slots that open in a window, newest first.
select
    gaps.dataset,
    gaps.series,
    lower(clipped.run) as gap_start,
    upper(clipped.run) as gap_end,
    warehouse.slot_count(tstzmultirange(clipped.run), series.step) as slots,
    gaps.state,
    gaps.reason,
    gaps.attempts,
    gaps.next_attempt_at,
    gaps.error_class
from market.gaps
join warehouse.series on series.dataset = gaps.dataset and series.name = gaps.series
cross join lateral (
    select interval '1 microsecond' as tick
) as least_time
cross join lateral unnest(
    tstzmultirange(tstzrange(gaps.gap_start, gaps.gap_end))
    * tstzmultirange(
        tstzrange(
            date_bin(series.step, %(start)s + series.step - tick, series.anchor),
            date_bin(series.step, %(end)s + series.step - tick, series.anchor)
        )
    )
) as clipped (run)
where %(dataset)s::text is null or gaps.dataset = %(dataset)s
order by gap_start desc, gaps.dataset, gaps.series;

-- explanations --
-- The same of market.explanations.
select
    explanations.dataset,
    explanations.series,
    lower(clipped.run) as explained_from,
    upper(clipped.run) as explained_to,
    warehouse.slot_count(tstzmultirange(clipped.run), series.step) as slots,
    explanations.reason,
    explanations.evidence,
    explanations.note,
    explanations.confirmations,
    explanations.first_seen_at,
    explanations.last_seen_at,
    explanations.recheck_at
from market.explanations
join warehouse.series
    on series.dataset = explanations.dataset and series.name = explanations.series
cross join lateral (
    select interval '1 microsecond' as tick
) as least_time
cross join lateral unnest(
    tstzmultirange(tstzrange(explanations.explained_from, explanations.explained_to))
    * tstzmultirange(
        tstzrange(
            date_bin(series.step, %(start)s + series.step - tick, series.anchor),
            date_bin(series.step, %(end)s + series.step - tick, series.anchor)
        )
    )
) as clipped (run)
where %(dataset)s::text is null or explanations.dataset = %(dataset)s
order by explained_from desc, explanations.dataset, explanations.series;

-- active_series_count --
select count(*)
from warehouse.series
where is_active and (%(dataset)s::text is null or dataset = %(dataset)s);
