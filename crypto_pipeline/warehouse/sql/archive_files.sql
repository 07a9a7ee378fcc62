-- note --
-- An issue of a file was read, or could not be; the newest word on it holds.
insert into warehouse.archive_files as kept (
    series_id, path, etag, provider, slots, modified_at, size,
    sha256, row_count, read_at, failed_at, error
)
select
    series_id,
    %(path)s,
    %(etag)s,
    %(provider)s,
    tstzrange(%(start)s, %(end)s),
    %(modified_at)s,
    %(size)s,
    %(sha256)s::text,
    %(row_count)s::integer,
    %(read_at)s::timestamptz,
    %(failed_at)s::timestamptz,
    %(error)s::text
from warehouse.series
where dataset = %(dataset)s and name = %(series)s
on conflict (series_id, path, etag) do update set
    sha256 = coalesce(excluded.sha256, kept.sha256),
    row_count = coalesce(excluded.row_count, kept.row_count),
    read_at = coalesce(excluded.read_at, kept.read_at),
    failed_at = coalesce(excluded.failed_at, kept.failed_at),
    error = excluded.error;

-- failed_since --
-- Issues of files that could not be read since an instant, and were not read after that.
select
    series.name,
    archive_files.path,
    archive_files.etag
from warehouse.archive_files
join warehouse.series using (series_id)
where
    series.dataset = %(dataset)s
    and archive_files.failed_at > %(since)s
    and (archive_files.read_at is null or archive_files.read_at < archive_files.failed_at);

-- read_files --
-- Every file that was read, and whichever of its issues.
select
    series.name,
    archive_files.path,
    archive_files.slots,
    archive_files.etag
from warehouse.archive_files
join warehouse.series using (series_id)
where
    series.dataset = %(dataset)s
    and series.is_active
    and archive_files.read_at is not null
order by series.name, archive_files.slots;
