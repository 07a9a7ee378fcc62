-- follow_rows --
insert into warehouse.coverage as kept (series_id, day, expected, present)
select series_id, day, '{}', slots
from unnest(
    %(series_ids)s::integer[], %(days)s::date[], %(slots)s::tstzmultirange[]
) as stored (series_id, day, slots)
on conflict (series_id, day) do update set present = excluded.present;

-- log_repairs --
insert into warehouse.ledger_repairs (
    repaired_at, series_id, day, only_in_rows, only_in_ledger
)
select %(now)s, %(series_id)s, found.*
from unnest(
    %(days)s::date[], %(only_in_rows)s::tstzmultirange[], %(only_in_ledger)s::tstzmultirange[]
) as found;
