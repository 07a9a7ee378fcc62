create view market.provider_health as
select
    health.provider,
    health.host,
    case
        when health.open_until is null then 'closed'
        when now() < health.open_until then 'open'
        else 'half_open'
    end as state,
    health.consecutive_failures,
    health.opened_at,
    health.open_until,
    limits.blocked_until,
    health.requests,
    health.failures,
    health.bytes,
    health.latency_ms,
    health.used_weight,
    health.weight_limit,
    health.last_success_at,
    health.last_failure_at,
    health.last_error_class,
    health.last_error
from warehouse.provider_health as health
left join warehouse.rate_limits as limits
    on limits.host = health.host and limits.blocked_until > now();
comment on view market.provider_health is
    'How each provider does: one row per provider and host that was ever asked, counted since then.';
comment on column market.provider_health.provider is 'Who is asked';
comment on column market.provider_health.host is 'Where it is asked: the address without its scheme';
comment on column market.provider_health.state is
    'Its circuit breaker. closed: it is asked; open: it keeps failing and is left alone; half_open: one request may try';
comment on column market.provider_health.consecutive_failures is 'Failures in a row that were the host''s fault';
comment on column market.provider_health.opened_at is 'When the breaker opened, UTC; null while it is closed';
comment on column market.provider_health.open_until is 'The end of its rest, UTC; null while the breaker is closed';
comment on column market.provider_health.blocked_until is 'The end of the pause that the host asked for, UTC; null without one';
comment on column market.provider_health.requests is 'How many requests it was sent';
comment on column market.provider_health.failures is 'How many of them it did not answer; a rejected request is answered';
comment on column market.provider_health.bytes is 'Size of all bodies received (bytes)';
comment on column market.provider_health.latency_ms is 'Moving mean of the time to an answer or a failure (ms); a tenth of it is the newest request';
comment on column market.provider_health.used_weight is 'The weight used in its minute, as the host said last; null where it says none';
comment on column market.provider_health.weight_limit is 'The weight we allow ourselves a minute';
comment on column market.provider_health.last_success_at is 'The newest request it answered, UTC';
comment on column market.provider_health.last_failure_at is 'The newest request it did not answer, UTC';
comment on column market.provider_health.last_error_class is 'What kind of failure the newest one was';
comment on column market.provider_health.last_error is 'What the newest failure said, without query strings and keys';

create view market.fetches as
select
    requested_at,
    provider,
    host,
    path,
    series,
    lower(asked) as asked_from,
    upper(asked) as asked_to,
    attempt,
    http_status,
    duration_ms,
    bytes,
    row_count,
    error_class,
    error
from warehouse.fetches;
comment on view market.fetches is 'Every request to a provider and its outcome: one row per try.';
comment on column market.fetches.requested_at is 'When it was sent, UTC';
comment on column market.fetches.provider is 'Who was asked';
comment on column market.fetches.host is 'Where: the address without its scheme';
comment on column market.fetches.path is 'What for, without the query string';
comment on column market.fetches.series is 'The line of a dataset it was sent for; null: several, or the whole venue';
comment on column market.fetches.asked_from is 'Begin of the window asked for, UTC; null where there is none';
comment on column market.fetches.asked_to is 'End of the window asked for, UTC, itself outside';
comment on column market.fetches.attempt is 'Which try it was; 1 is the first';
comment on column market.fetches.http_status is 'The status of the reply; null where none came';
comment on column market.fetches.duration_ms is 'Time to the whole reply, or to the failure (ms)';
comment on column market.fetches.bytes is 'Size of the body (bytes)';
comment on column market.fetches.row_count is 'Rows in the answer';
comment on column market.fetches.error_class is 'What kind of failure it was; null for an answer';
comment on column market.fetches.error is 'What went wrong, without query strings and keys';
