-- known --
-- Candles of a series as doubles, by when they open in microseconds since 1970, and how trusted each is.
select
    (extract(epoch from kept.open_time) * 1000000)::float8,
    kept.open::float8,
    kept.high::float8,
    kept.low::float8,
    kept.close::float8,
    kept.volume::float8,
    coalesce(loads.trust, 32767)::float8
from warehouse.series
cross join lateral (
    select stored.*
    from warehouse.ohlc_stored as stored
    where
        stored.series_id = series.series_id
        and stored.open_time >= %(start)s
        and stored.open_time < %(end)s
        and (
            stored.day is null
            or stored.day >= (%(start)s::timestamptz at time zone 'utc')::date
            and stored.day <= (%(end)s::timestamptz at time zone 'utc')::date
        )
) as kept
left join warehouse.loads using (load_id)
where series.dataset = %(dataset)s and series.name = %(name)s
order by kept.open_time;
