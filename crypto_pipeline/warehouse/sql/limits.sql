-- hasten --
set synchronous_commit = off;

-- reserve --
-- GCRA: one instant per host says how far the allowance is spent; the answer is the wait in seconds.
-- Where it would be longer than anybody waits, nothing is taken and nothing answered.
insert into warehouse.rate_limits as held (host, spent_until)
values (%(host)s, clock_timestamp() + %(cost)s)
on conflict (host) do update set
    spent_until = greatest(held.spent_until, clock_timestamp()) + %(cost)s
where
    greatest(held.spent_until - clock_timestamp(), interval '0') + %(cost)s - %(burst)s
    <= %(longest)s
returning greatest(
    extract(epoch from spent_until - clock_timestamp() - %(burst)s), 0
)::float8;

-- block --
insert into warehouse.rate_limits as held (host, spent_until, blocked_until)
values (%(host)s, clock_timestamp(), clock_timestamp() + %(pause)s)
on conflict (host) do update set
    blocked_until = greatest(held.blocked_until, excluded.blocked_until);

-- observe --
-- The host counts by the clock minute and may know of other users of our address.
update warehouse.rate_limits
set spent_until = greatest(
    spent_until,
    date_trunc('minute', clock_timestamp()) + %(used)s
)
where host = %(host)s;
