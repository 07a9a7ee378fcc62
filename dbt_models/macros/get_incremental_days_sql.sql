{#- The strategy of all marts: the days that are built go, and come anew, in one transaction.

    A mart's time is its column day (a date), or hour or open_time (instants). The meta days_before
    and days_after widen the days, of a mart whose rows depend on others' days. Without the vars all
    goes, but for what is older than the oldest row there now is: it has expired at its source. -#}
{% macro get_incremental_days_sql(arg_dict) %}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | list -%}
    {%- set time = ['day', 'hour', 'open_time'] | select('in', columns) | first -%}
    {%- set meta = model.config.meta -%}
    {%- set before, after = meta.get('days_before', 0), meta.get('days_after', 0) -%}
    {%- set names = columns | map('string') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }}
    where
        {% if time == 'day' -%}
        {{ day_is_built('day', before, after) }}
        {%- else -%}
        {{ instant_is_built(time, before, after) }}
        {%- endif %}
        {%- if var('first_day', none) is none or meta.get('keeps_expired') %}
        and {{ time }} >= (select min({{ time }}) from {{ arg_dict['temp_relation'] }})
        {%- endif %};
    insert into {{ arg_dict['target_relation'] }} ({{ names }})
    select {{ names }} from {{ arg_dict['temp_relation'] }};
{% endmacro %}
