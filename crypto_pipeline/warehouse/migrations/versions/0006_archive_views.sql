create view market.archive_files as
select
    archive_files.provider,
    series.name as series,
    archive_files.path,
    lower(archive_files.slots) as starts_at,
    upper(archive_files.slots) as ends_at,
    archive_files.etag,
    archive_files.modified_at,
    archive_files.size,
    archive_files.sha256,
    archive_files.row_count,
    archive_files.read_at,
    archive_files.failed_at,
    archive_files.error
from warehouse.archive_files
join warehouse.series using (series_id);
comment on view market.archive_files is
    'The bulk files that were read, or could not be: one row by series, path and issue.';
comment on column market.archive_files.provider is 'Whose archive it lies in';
comment on column market.archive_files.series is 'The line of a dataset it is of';
comment on column market.archive_files.path is 'Where it lies, below the base URL of the provider';
comment on column market.archive_files.starts_at is 'Begin of the month or day it is of, UTC';
comment on column market.archive_files.ends_at is 'End of the month or day it is of, UTC, itself outside';
comment on column market.archive_files.etag is 'What the listing called this issue of it; another one when it is re-issued';
comment on column market.archive_files.modified_at is 'When it was published, or re-issued, UTC';
comment on column market.archive_files.size is 'Size of the zip (bytes)';
comment on column market.archive_files.sha256 is 'Its checksum, as published and as it came; null where it did not come';
comment on column market.archive_files.row_count is 'Rows that were taken from it; null where it could not be read';
comment on column market.archive_files.read_at is 'When its rows were stored, UTC; null where it could not be read';
comment on column market.archive_files.failed_at is 'When it could last not be read, UTC; null where it never failed';
comment on column market.archive_files.error is 'Why it could not be read';
