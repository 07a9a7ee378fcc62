"""The hosts' health in Postgres: the twin of the rule, shared by processes, told to people."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_pipeline.errors import (
    HostRefused,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.market.health import Health, Standing, Told
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.health import Resting, resting
from crypto_pipeline.warehouse.limits import SharedLimits
from crypto_pipeline_tests.warehouse.storing import Warehouse, over_postgres

HOST = "api.example"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAILED = Told(TransientError("HTTP 500"), 0.2, 10)
REFUSED = Told(HostRefused("HTTP 451", retry_after=600), 0.2, 10)
ANSWERED = Told(None, 0.1, 100, 7, 6000)
ERRORS: list[ProviderError | None] = [
    None,
    TransientError("HTTP 500"),
    RequestRejected("no such symbol"),
    RateLimited("HTTP 429", retry_after=5),
    HostRefused("HTTP 418", retry_after=300),
]
SHIFT = """
    update warehouse.provider_health
    set opened_at = opened_at - %(by)s, open_until = open_until - %(by)s,
        trial_until = trial_until - %(by)s
"""
KEPT = """
    select consecutive_failures, openings,
        round(extract(epoch from open_until - clock_timestamp()))::int,
        round(extract(epoch from clock_timestamp() - opened_at))::int
    from warehouse.provider_health
"""


def with_two(
    database: Database, work: Callable[[SharedLimits, SharedLimits], Awaitable[None]]
) -> None:
    """Run something with two pacers, as two processes would have them."""

    async def run() -> None:
        async with SharedLimits(database) as one, SharedLimits(database) as other:
            await work(one, other)

    asyncio.run(run())


def pass_time(database: Database, span: timedelta) -> None:
    """Move all that the health remembers into the past."""
    with database.connect() as connection:
        connection.execute(SHIFT, {"by": span})


def seconds(moment: datetime | None, since: datetime) -> int | None:
    """From one moment to another."""
    return None if moment is None else round((moment - since).total_seconds())


@settings(parent=over_postgres, max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(ERRORS), st.integers(0, 400)), max_size=12))
def test_postgres_and_the_rule_agree(
    database: Database, steps: list[tuple[ProviderError | None, int]]
) -> None:
    """Whatever happens in whatever time, the statement makes of it what the rule makes of it."""
    health, now = Health(), NOW
    with database.connect() as connection:
        connection.execute("delete from warehouse.provider_health")

        async def live(pacer: SharedLimits, _: SharedLimits) -> None:
            nonlocal health, now
            for error, wait in steps:
                now += timedelta(seconds=wait)
                connection.execute(SHIFT, {"by": timedelta(seconds=wait)})
                tried = await pacer.may_try("someone", HOST)
                assert tried == health.may_try(now)
                health = health.trying(now) if tried else health
                told = Told(error, 0.1, 10)
                await pacer.note("someone", HOST, told)
                health = health.after(told.outcome, now, told.rest)

        with_two(database, live)
        kept = connection.execute(KEPT).fetchone()
    opened = seconds(health.opened_at, now)

    assert kept is None or all(
        a == b or (a is not None and b is not None and abs(int(str(a)) - b) <= 1)
        for a, b in zip(
            kept,
            (
                health.failures,
                health.openings,
                seconds(health.open_until, now),
                None if opened is None else -opened,
            ),
            strict=True,
        )
    )
    assert bool(steps) == (kept is not None)


def test_what_one_process_meets_every_process_knows(database: Database) -> None:
    """Two failures here and one there open the breaker for both; other hosts are free."""

    async def work(one: SharedLimits, other: SharedLimits) -> None:
        other.waits.clock = count().__next__  # so that nothing it knows is of this moment
        for pacer in (one, other, one):
            assert Standing() == await other.standing("someone", HOST)
            await pacer.note("someone", HOST, FAILED)
        standing = await other.standing("someone", HOST)

        assert ("open", 0.0) == (standing.state, standing.blocked)
        assert 28 < standing.resting <= 30
        assert Standing() == await other.standing("someone", "other.example")

    with_two(database, work)


def test_one_of_many_may_try(database: Database) -> None:
    """When the rest is over, one request of one process tries; its success lets all in."""

    async def work(one: SharedLimits, other: SharedLimits) -> None:
        for _ in range(3):
            await one.note("someone", HOST, FAILED)
        pass_time(database, timedelta(seconds=30))
        assert Standing(0.0, "half_open") == await other.standing("someone", HOST)
        tried = await asyncio.gather(
            *(pacer.may_try("someone", HOST) for pacer in (one, other) * 10)
        )

        assert 1 == sum(tried)
        assert (await one.standing("someone", HOST)).is_tried
        await other.note("someone", HOST, ANSWERED)
        assert Standing() == await one.standing("someone", HOST)

    with_two(database, work)


def test_view_tells_how_a_host_does(database: Database) -> None:
    """Counts, the newest success and failure, the weight and the state are there to be queried."""

    async def work(one: SharedLimits, _: SharedLimits) -> None:
        await one.note("someone", HOST, ANSWERED)
        await one.note("someone", HOST, Told(RequestRejected("no such symbol"), 0.1, 50))
        await one.note("someone", HOST, REFUSED)
        await one.block(HOST, 600)

    with_two(database, work)
    ((row,),) = Warehouse(database, []).select(
        "select to_jsonb(health) from market.provider_health as health"
    )

    assert ("someone", HOST, "open", 1, 3, 1, 160, 7, 6000) == tuple(
        row[name]
        for name in (
            *("provider", "host", "state", "consecutive_failures", "requests", "failures"),
            *("bytes", "used_weight", "weight_limit"),
        )
    )
    assert ("HostRefused", "HTTP 451") == (row["last_error_class"], row["last_error"])
    assert row["last_success_at"] < row["last_failure_at"] < row["open_until"]
    assert row["blocked_until"] is not None
    assert abs(row["latency_ms"] - 110) < 1


def test_resting_providers_are_listed(database: Database) -> None:
    """Who is left alone, where, and until when."""

    async def work(one: SharedLimits, _: SharedLimits) -> None:
        await one.note("someone", HOST, REFUSED)
        await one.note("another", HOST, ANSWERED)

    with_two(database, work)
    (found,) = resting(database)

    assert Resting("someone", HOST, found.until) == found
    assert abs(found.until - datetime.now(UTC) - timedelta(seconds=600)) < timedelta(seconds=5)


def test_answers_of_a_moment_are_told_together(database: Database) -> None:
    """The first at once, the others before what goes wrong, or at the end: none is lost."""
    states = []

    async def work(one: SharedLimits, _: SharedLimits) -> None:
        one.waits.clock = lambda: 100.0
        for told in (*[ANSWERED] * 30, FAILED, *[ANSWERED] * 20):
            await one.note("someone", HOST, told)
            states.append(counted(database))

    with_two(database, work)

    assert (1, 100) == states[0] == states[29]
    assert (31, 3010) == states[30]
    assert (32, 3110) == states[31] == states[50]
    assert (51, 5010) == counted(database)


def counted(database: Database) -> tuple[object, ...]:
    """Requests and bytes, as they are told now."""
    (row,) = Warehouse(database, []).select("select requests, bytes from warehouse.provider_health")
    return row
