-- reserve --
-- GCRA: one instant per host says how far the allowance is spent; the answer is the wait in seconds.
insert into warehouse.rate_limits as held (host, spent_until)
values (%(host)s, clock_timestamp() + %(cost)s)
on conflict (host) do update set
    spent_until = greatest(held.spent_until, clock_timestamp()) + %(cost)s
returning greatest(
    extract(epoch from spent_until - clock_timestamp() - %(burst)s), 0
)::float8;

-- blocked_for --
select greatest(extract(epoch from blocked_until - clock_timestamp()), 0)::float8
from warehouse.rate_limits
where host = %(host)s and blocked_until is not null;

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
