-- note --
insert into warehouse.assets as known (asset_id, symbol, name)
values (%s, %s, %s)
on conflict (asset_id) do update set symbol = excluded.symbol, name = excluded.name
where (known.symbol, known.name) is distinct from (excluded.symbol, excluded.name);
