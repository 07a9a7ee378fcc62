-- Month by month, in the order of the key; the former month goes before the next one is moved.
do $$
declare
    month record;
    here text;
    former text;
begin
    for month in
        select part.relname as name, pg_get_expr(part.relpartbound, part.oid) as bounds
        from pg_inherits as leaf
        join pg_class as part on part.oid = leaf.inhrelid
        where leaf.inhparent = 'warehouse.ohlc_before'::regclass
        order by part.relname
    loop
        here := 'warehouse.' || quote_ident(month.name);
        former := quote_ident(month.name || '_before');
        execute 'alter table ' || here || ' rename to ' || former;
        execute 'alter index if exists warehouse.' || quote_ident(month.name || '_pkey')
            || ' rename to ' || quote_ident(month.name || '_before_pkey');
        execute 'create table ' || here || ' partition of warehouse.ohlc ' || month.bounds;
        execute 'insert into ' || here || ' (series_id, open_time, load_id, trade_count, open, high,'
            || ' low, close, volume, quote_volume) select series_id, open_time, load_id, trade_count,'
            || ' open, high, low, close, volume, quote_volume from warehouse.' || former
            || ' order by series_id, open_time';
        execute 'drop table warehouse.' || former;
    end loop;
end
$$;

drop table warehouse.ohlc_before;
