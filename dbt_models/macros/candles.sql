{#- Candles of one interval: of each market that has a series which makes them, the days that are built. -#}
{% macro candles(interval) -%}
-- depends_on: {{ ref('stg_ohlc') }}
select
    markets.venue,
    markets.instrument,
    made.open_time,
    made.open,
    made.high,
    made.low,
    made.close,
    made.volume,
    made.quote_volume,
    made.trade_count,
    made.expected,
    made.present,
    made.is_complete,
    made.base_interval
from (
    select distinct venue, instrument
    from {{ source('market', 'series') }}
    where
        dataset = 'ohlc'
        and step <= interval '1 day'
        and extract(epoch from market.interval_length('{{ interval }}'))::bigint
        % extract(epoch from step)::bigint = 0
) as markets
cross join lateral market.candles(
    markets.venue,
    markets.instrument,
    '{{ interval }}',
    timestamptz '{{ first_day() }}T00:00:00Z',
    timestamptz '{{ last_day(1) }}T00:00:00Z'
) as made
{%- endmacro %}
