-- known_role --
select rolsuper, shobj_description(oid, 'pg_authid')
from pg_roles
where rolname = %(name)s;

-- create_role --
create role {role} login nosuperuser nocreatedb nocreaterole noinherit noreplication nobypassrls;

-- mark_as_ours --
comment on role {role} is {mark};

-- set_password --
alter role {role} password {verifier};

-- limit_time --
alter role {role} set statement_timeout = {timeout};

-- limit_idle_time --
-- An open transaction holds back the vacuum of every table.
alter role {role} set idle_in_transaction_session_timeout = '5min';

-- one_process --
-- Workers of a query bear no name of its role, so they could not be made to wait for ours.
alter role {role} set max_parallel_workers_per_gather = 0;

-- read_only --
alter role {role} set default_transaction_read_only = on;

-- search_path --
-- Views of market come first; collector's operators must be in the path to be found.
alter role {role} set search_path = market, marts, collector;

-- time_zone --
alter role {role} set timezone = 'UTC';

-- make_schema --
create schema if not exists {schema};

-- let_connect --
grant connect on database {database} to {role};

-- let_look --
grant usage on schema {schema} to {role};

-- let_read --
grant select on all tables in schema {schema} to {role};

-- let_read_later --
alter default privileges in schema {schema} grant select on tables to {role};

-- keep_out_temporary --
revoke temporary on database {database} from public;

-- keep_out_public --
revoke create on schema public from public;

-- keep_out_large_objects --
revoke execute on function
    pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid),
    pg_catalog.lo_from_bytea(oid, bytea), pg_catalog.lo_put(oid, bigint, bytea)
from public;

-- known_schemas --
select nspname
from pg_namespace
where nspname = any(%(schemas)s);

-- no_more_connect --
revoke all on database {database} from {role};

-- no_more_look --
revoke all on schema {schema} from {role};

-- no_more_read --
revoke all on all tables in schema {schema} from {role};

-- no_more_read_later --
alter default privileges in schema {schema} revoke all on tables from {role};

-- end_sessions --
select pg_terminate_backend(pid)
from pg_stat_activity
where usename = %(name)s and datname = current_database() and pid <> pg_backend_pid();

-- drop_role --
drop role {role};
