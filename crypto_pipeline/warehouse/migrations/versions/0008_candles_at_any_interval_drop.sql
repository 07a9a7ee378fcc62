drop view market.contract;
drop view market.latest_prices;
drop function market.candles (text, text, text, timestamptz, timestamptz);
drop view market.series;
drop function market.candle_opens (interval, timestamptz);
drop function market.interval_length (text);
