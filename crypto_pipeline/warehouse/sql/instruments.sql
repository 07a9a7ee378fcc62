-- lock_venue --
select pg_advisory_xact_lock(720578, hashtext(%(venue)s));

-- read_at --
-- When the venue's list was read last.
select max(last_seen_at)
from warehouse.instruments
where venue = %(venue)s and status <> 'gone';

-- create_staging --
create temporary table if not exists staged_instruments (
    instrument text not null,
    symbol text not null,
    status text not null
) on commit delete rows;

-- copy_staging --
copy staged_instruments from stdin;

-- note_changes --
-- What differs from the last list; one that is not in it any more is gone.
insert into warehouse.instrument_changes (
    changed_at, venue, instrument, field, old_value, new_value
)
select %(now)s, %(venue)s, listed.instrument, changed.field, changed.old_value, changed.new_value
from (
    select
        coalesce(known.instrument, staged.instrument) as instrument,
        known.symbol as old_symbol,
        coalesce(staged.symbol, known.symbol) as new_symbol,
        known.status as old_status,
        coalesce(staged.status, 'gone') as new_status
    from staged_instruments as staged
    full join (
        select *
        from warehouse.instruments
        where venue = %(venue)s
    ) as known using (instrument)
) as listed
cross join lateral (
    values
    ('symbol', listed.old_symbol, listed.new_symbol),
    ('status', listed.old_status, listed.new_status)
) as changed (field, old_value, new_value)
where
    changed.old_value is distinct from changed.new_value
    -- The first list a venue ever gave is no change.
    and exists (select from warehouse.instruments where venue = %(venue)s);

-- keep_list --
insert into warehouse.instruments as known (
    venue, instrument, symbol, status, first_seen_at, last_seen_at
)
select %(venue)s, instrument, symbol, status, %(now)s, %(now)s
from staged_instruments
on conflict (venue, instrument) do update set
    symbol = excluded.symbol,
    status = excluded.status,
    last_seen_at = excluded.last_seen_at;

-- mark_gone --
update warehouse.instruments as known
set status = 'gone'
where
    venue = %(venue)s
    and status <> 'gone'
    and not exists (
        select from staged_instruments as staged where staged.instrument = known.instrument
    );

-- statuses --
select instrument, status
from warehouse.instruments
where venue = %(venue)s;
