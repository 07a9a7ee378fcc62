-- log --
insert into warehouse.fetches (
    requested_at, provider, host, path, series, asked, attempt, duration_ms, http_status, bytes,
    row_count, error_class, error
)
values (
    %(requested_at)s, %(provider)s, %(host)s, %(path)s, %(series)s,
    case when %(start)s::timestamptz is not null then tstzrange(%(start)s, %(end)s) end, %(attempt)s, %(duration_ms)s, %(http_status)s, %(bytes)s,
    %(row_count)s, %(error_class)s, %(error)s
);
