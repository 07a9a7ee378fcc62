{#- A day so many days after another one, both as text. -#}
{% macro day_after(day, count) -%}
    {%- if not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', day | string) -%}
        {{ exceptions.raise_compiler_error(
            "first_day and last_day are days: write them like 2026-01-31, not " ~ day
        ) }}
    {%- endif -%}
    {%- set date = modules.datetime.date.fromisoformat(day | string) -%}
    {{ return((date + modules.datetime.timedelta(days=count)).isoformat()) }}
{%- endmacro %}

{#- The first day this run builds; all of them without the var. -#}
{% macro first_day(before=0) -%}
    {{ return(day_after(var('first_day', '1970-01-01'), -before)) }}
{%- endmacro %}

{#- The last day this run builds; all that come without the var. -#}
{% macro last_day(after=0) -%}
    {{ return(day_after(var('last_day', '2200-01-01'), after)) }}
{%- endmacro %}

{#- Whether a day is among those that are built, or so many before and after them. -#}
{% macro day_is_built(column, before=0, after=0) -%}
    {{ column }} between date '{{ first_day(before) }}' and date '{{ last_day(after) }}'
{%- endmacro %}

{#- Whether an instant lies in the days that are built; bounds are literals, so that partitions are pruned. -#}
{% macro instant_is_built(column, before=0, after=0) -%}
    {{ column }} >= timestamptz '{{ first_day(before) }}T00:00:00Z'
    and {{ column }} < timestamptz '{{ last_day(after + 1) }}T00:00:00Z'
{%- endmacro %}
