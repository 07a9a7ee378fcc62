{#- A view is replaced in its place, and only when it has changed: readers neither wait nor miss it. -#}
{% materialization view, adapter='postgres' %}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if config.get('contract').enforced %}{{ get_assert_columns_equivalent(sql) }}{% endif %}
    {% call statement('main') %}
        do $replacing$
        begin
            create temporary view {{ this.identifier }} as {{ sql }};
            if pg_get_viewdef('pg_temp.{{ this.identifier }}'::regclass)
                is distinct from pg_get_viewdef(to_regclass('{{ target }}')::oid)
            then
                begin
                    create or replace view {{ target }} as {{ sql }};
                exception when invalid_table_definition then
                    drop view {{ target }} cascade;
                    create view {{ target }} as {{ sql }};
                end;
            end if;
            drop view pg_temp.{{ this.identifier }};
        end
        $replacing$
    {% endcall %}
    {% do persist_docs(target, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
