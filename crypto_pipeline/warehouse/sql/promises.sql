-- ohlc --
kept.low > 0
and kept.low <= least(kept.open, kept.close)
and kept.high >= greatest(kept.open, kept.close)
and kept.high < 'infinity'
and kept.volume >= 0
and kept.volume < 'infinity'
and coalesce(kept.quote_volume, 0) >= 0
and coalesce(kept.quote_volume, 0) < 'infinity'
and coalesce(kept.trade_count, 0) >= 0

-- market_prices --
kept.price_usd > 0
and kept.price_usd < 'infinity'
and coalesce(kept.market_cap_usd, 0) >= 0
and coalesce(kept.market_cap_usd, 0) < 'infinity'
and coalesce(kept.volume_24h_usd, 0) >= 0
and coalesce(kept.volume_24h_usd, 0) < 'infinity'

-- sentiment --
kept.value < 'infinity' and kept.value > '-infinity'

-- gas_prices --
coalesce(kept.base_fee_gwei, 0) >= 0
and coalesce(kept.priority_fee_p10_gwei, 0) >= 0
and coalesce(kept.priority_fee_p50_gwei, 0) >= 0
and coalesce(kept.priority_fee_p90_gwei, 0) >= 0
and coalesce(kept.slow_gwei, 0) >= 0
and coalesce(kept.standard_gwei, 0) >= 0
and coalesce(kept.fast_gwei, 0) >= 0
and coalesce(kept.slow_sat_vb, 0) >= 0
and coalesce(kept.standard_sat_vb, 0) >= 0
and coalesce(kept.fast_sat_vb, 0) >= 0
and coalesce(
    kept.base_fee_gwei, kept.slow_gwei, kept.standard_gwei, kept.fast_gwei,
    kept.slow_sat_vb, kept.standard_sat_vb, kept.fast_sat_vb
) is not null
