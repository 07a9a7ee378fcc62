-- standing --
select
    coalesce(greatest(extract(epoch from limits.blocked_until - clock_timestamp()), 0), 0)::float8,
    case
        when health.open_until is null then 'closed'
        when clock_timestamp() < health.open_until then 'open'
        else 'half_open'
    end,
    coalesce(greatest(extract(
        epoch from greatest(health.open_until, health.trial_until) - clock_timestamp()
    ), 0), 0)::float8,
    coalesce(health.trial_until > clock_timestamp(), false)
from (values (%(provider)s::text, %(host)s::text)) as asked (provider, host)
left join warehouse.rate_limits as limits using (host)
left join warehouse.provider_health as health using (provider, host);

-- try --
-- One row, one update: of several that would try, one does.
update warehouse.provider_health
set trial_until = clock_timestamp() + %(trial)s
where provider = %(provider)s and host = %(host)s and open_until <= clock_timestamp()
    and (trial_until is null or trial_until <= clock_timestamp())
returning true;

-- note --
-- One request, or several that were answered; a request weighs a tenth in the latency.
-- The rule is market/health.py: this is its twin for hosts that several processes ask at once.
insert into warehouse.provider_health as held (
    provider, host, consecutive_failures, openings, opened_at, open_until, trial_until,
    requests, failures, bytes, latency_ms, used_weight, weight_limit,
    last_success_at, last_failure_at, last_error_class, last_error
)
select
    %(provider)s, %(host)s, told.fault, told.refused,
    case when told.refused = 1 then clock_timestamp() end,
    case when told.refused = 1 then clock_timestamp() + %(rest)s end, null,
    %(times)s, told.failed, %(size)s, %(latency_ms)s, %(used_weight)s, %(weight_limit)s,
    case when told.failed = 0 then clock_timestamp() end,
    case when told.failed = 1 then clock_timestamp() end, %(error_class)s, %(error)s
from (
    select
        (%(outcome)s in ('failed', 'refused'))::int as fault,
        (%(outcome)s = 'refused')::int as refused,
        (%(outcome)s <> 'answered')::int as failed
) as told
on conflict (provider, host) do update set
    consecutive_failures = case %(outcome)s
        when 'answered' then 0
        else held.consecutive_failures + excluded.consecutive_failures
    end,
    openings = case
        when %(outcome)s = 'answered' then 0
        when %(outcome)s = 'refused' then greatest(held.openings, 1)
        when %(outcome)s = 'failed' and (
            held.open_until <= clock_timestamp()
            or (held.open_until is null and held.consecutive_failures + 1 >= %(opens_after)s)
        ) then held.openings + 1
        else held.openings
    end,
    opened_at = case
        when %(outcome)s = 'answered' then null
        when %(outcome)s = 'refused' or (
            %(outcome)s = 'failed' and held.open_until is null
            and held.consecutive_failures + 1 >= %(opens_after)s
        ) then coalesce(held.opened_at, clock_timestamp())
        else held.opened_at
    end,
    open_until = case
        when %(outcome)s = 'answered' then null
        when %(outcome)s = 'refused' then greatest(held.open_until, clock_timestamp() + %(rest)s)
        when %(outcome)s = 'failed' and (
            held.open_until <= clock_timestamp()
            or (held.open_until is null and held.consecutive_failures + 1 >= %(opens_after)s)
        ) then clock_timestamp()
            + least(%(shortest)s * power(2, least(held.openings, 20)), %(longest)s)
        else held.open_until
    end,
    trial_until = null,
    requests = held.requests + excluded.requests,
    failures = held.failures + excluded.failures,
    bytes = held.bytes + excluded.bytes,
    latency_ms = held.latency_ms
        + (excluded.latency_ms - held.latency_ms) * (1 - power(0.9, excluded.requests)),
    used_weight = coalesce(excluded.used_weight, held.used_weight),
    weight_limit = coalesce(excluded.weight_limit, held.weight_limit),
    last_success_at = coalesce(excluded.last_success_at, held.last_success_at),
    last_failure_at = coalesce(excluded.last_failure_at, held.last_failure_at),
    last_error_class = coalesce(excluded.last_error_class, held.last_error_class),
    last_error = coalesce(excluded.last_error, held.last_error);

-- resting --
select provider, host, open_until
from warehouse.provider_health
where open_until > clock_timestamp()
order by provider, host;
