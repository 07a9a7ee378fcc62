drop view market.gas_prices;
drop view market.sentiment;
drop view market.market_prices;
drop function market.asset_id (text);
drop view market.assets;
delete from warehouse.coverage
where series_id in (select series_id from warehouse.series where venue is null);
delete from warehouse.holes
where series_id in (select series_id from warehouse.series where venue is null);
delete from warehouse.explanation_changes
where series_id in (select series_id from warehouse.series where venue is null);
delete from warehouse.ledger_repairs
where series_id in (select series_id from warehouse.series where venue is null);
delete from warehouse.rejected_rows
where series_id in (select series_id from warehouse.series where venue is null);
delete from warehouse.series
where venue is null;
