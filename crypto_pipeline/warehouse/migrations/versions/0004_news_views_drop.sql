drop view market.news_revisions;
drop view market.news;
delete from warehouse.coverage
where series_id in (select series_id from warehouse.series where dataset = 'news');
delete from warehouse.holes
where series_id in (select series_id from warehouse.series where dataset = 'news');
delete from warehouse.explanation_changes
where series_id in (select series_id from warehouse.series where dataset = 'news');
delete from warehouse.ledger_repairs
where series_id in (select series_id from warehouse.series where dataset = 'news');
delete from warehouse.rejected_rows
where series_id in (select series_id from warehouse.series where dataset = 'news');
delete from warehouse.series
where dataset = 'news';
