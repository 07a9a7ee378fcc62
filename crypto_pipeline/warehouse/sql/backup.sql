-- server_version --
select current_setting('server_version_num')::integer / 10000;

-- has_series --
select exists (select from warehouse.series);

-- first_wanted --
select (min(since) at time zone 'utc')::date
from warehouse.series
where is_active;

-- size --
select coalesce((select pg_database_size(datname) from pg_database where datname = %(name)s), 0);

-- create --
create database {name};

-- drop --
drop database if exists {name} with (force);

-- leave --
-- A database that somebody is connected to cannot be renamed.
select pg_terminate_backend(pid)
from pg_stat_activity
where datname = any (%(names)s) and pid <> pg_backend_pid();

-- rename --
alter database {name} rename to {to};

-- readers --
-- The roles that were made to read, and how long their statements may run.
select
    rolname,
    coalesce(substring(array_to_string(rolconfig, ' ') from 'statement_timeout=(\d+)'), '30000')
from pg_roles
where shobj_description(oid, 'pg_authid') = %(mark)s
order by rolname;
