"""Limits: what several processes take from one host's allowance together stays within it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest

from crypto_pipeline.errors import DatabaseUnreachable
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.limits import NEWS_APART, SharedLimits, Waits
from crypto_pipeline_tests.warehouse.storing import Warehouse

HOST = "api.example"
ALMOST_A_MINUTE = timedelta(seconds=59.9)
"""The server's clock and ours are read some milliseconds apart."""


def with_pacers(
    database: Database, work: Callable[[SharedLimits, SharedLimits], Awaitable[None]]
) -> None:
    """Run something with two pacers, as two processes would have them."""

    async def run() -> None:
        async with SharedLimits(database) as one, SharedLimits(database) as other:
            await work(one, other)

    asyncio.run(run())


def granted(
    database: Database, weights: Sequence[int], per_minute: int
) -> list[tuple[datetime, int]]:
    """When each of these requests may go out, two pacers asking in turn and nobody sleeping."""
    grants: list[tuple[datetime, int]] = []

    async def ask(one: SharedLimits, other: SharedLimits) -> None:
        for pacer, weight in zip(cycle((one, other)), weights, strict=False):
            wait = await pacer.reserve(HOST, weight, per_minute)
            assert wait is not None
            grants.append((datetime.now(UTC) + timedelta(seconds=wait), weight))

    with_pacers(database, ask)
    return grants


def most_in_a_minute(grants: Sequence[tuple[datetime, int]]) -> int:
    """The most weight that goes out within any minute, wherever it begins."""
    return max(
        sum(weight for at, weight in grants if start <= at < start + ALMOST_A_MINUTE)
        for start, _ in grants
    )


@pytest.mark.parametrize("seed", range(3))
def test_two_processes_stay_within_the_allowance(database: Database, seed: int) -> None:
    """Requests of mixed weight, the heaviest a twentieth of the allowance, fit into every minute."""
    rng = random.Random(seed)
    weights = [rng.choice([1, 2, 2, 5, 20, 30]) for _ in range(250)]
    grants = granted(database, weights, 600)

    assert most_in_a_minute(grants) <= 600
    assert most_in_a_minute(grants) > 500


@pytest.mark.parametrize(
    ("weight", "per_minute"), [(2, 6000), (1, 10), (1, 1), (30, 100), (40, 100), (60, 100), (7, 50)]
)
def test_heavy_requests_stay_within_the_allowance(
    database: Database, weight: int, per_minute: int
) -> None:
    """Where a request takes much of the allowance, whole requests still fit into every minute."""
    grants = granted(database, [weight] * 40, per_minute)

    assert most_in_a_minute(grants) <= per_minute


def test_first_request_never_waits(database: Database) -> None:
    """A host that was left alone is asked at once, however small its allowance."""

    async def ask(one: SharedLimits, _: SharedLimits) -> None:
        for per_minute in (1, 10, 6000):
            assert await one.reserve(f"{HOST}/{per_minute}", 1, per_minute) == 0

    with_pacers(database, ask)


def test_hosts_have_allowances_of_their_own(database: Database) -> None:
    """What one host was asked takes nothing from another."""

    async def ask(one: SharedLimits, other: SharedLimits) -> None:
        await one.reserve(HOST, 10, 10)

        assert (await other.reserve(HOST, 10, 10) or 0) > 30
        assert await other.reserve("other.example", 10, 10) == 0

    with_pacers(database, ask)


def test_tasks_share_one_pacer(database: Database) -> None:
    """Many tasks may ask one pacer at once; each gets a time of its own."""

    async def ask(one: SharedLimits, _: SharedLimits) -> None:
        waits = await asyncio.gather(*(one.reserve(HOST, 1, 10) for _ in range(20)))

        assert len(set(waits)) >= 18
        assert max(waits) > 60

    with_pacers(database, ask)


def test_pause_holds_for_every_process(database: Database) -> None:
    """What one is told to leave alone, all leave alone, others a moment later; other hosts are free."""

    async def ask(one: SharedLimits, other: SharedLimits) -> None:
        seconds = iter((0.0, 0.0, NEWS_APART - 0.01, NEWS_APART + 0.01))
        other.waits.clock = seconds.__next__
        assert (await one.standing("someone", HOST)).blocked == 0
        assert (await other.standing("someone", HOST)).blocked == 0
        await one.block(HOST, 120)

        assert 119 < (await one.standing("someone", HOST)).blocked <= 120
        assert (await other.standing("someone", HOST)).blocked == 0
        assert 119 < (await other.standing("someone", HOST)).blocked <= 120
        other.waits.clock = time.monotonic
        assert (await other.standing("someone", "other.example")).blocked == 0

    with_pacers(database, ask)


def test_longer_pause_wins(database: Database) -> None:
    """A short pause told later does not lift a long one."""

    async def ask(one: SharedLimits, other: SharedLimits) -> None:
        await one.block(HOST, 3600)
        await other.block(HOST, 2)

        assert 3500 < (await one.standing("someone", HOST)).blocked <= 3600

    with_pacers(database, ask)


def test_pause_ends(database: Database) -> None:
    """After its time the host may be asked again, with the allowance it had."""

    async def ask(one: SharedLimits, _: SharedLimits) -> None:
        await one.block(HOST, 0.05)
        await asyncio.sleep(0.06)

        assert (await one.standing("someone", HOST)).blocked == 0
        assert await one.reserve(HOST, 1, 10) == 0

    with_pacers(database, ask)


@pytest.mark.parametrize(("used", "share"), [(300, 0.5), (600, 1.0), (6000, 1.0)])
def test_weight_that_others_used_counts(database: Database, used: int, share: float) -> None:
    """What the host says was used this minute is spent, at most until the minute's end."""
    warehouse = Warehouse(database, [])

    async def ask(one: SharedLimits, other: SharedLimits) -> None:
        await one.reserve(HOST, 1, 600)
        await other.observe(HOST, used, 600)

    before = datetime.now(UTC)
    with_pacers(database, ask)
    after = datetime.now(UTC)
    ((spent_until,),) = warehouse.select("select spent_until from warehouse.rate_limits")
    minutes = {moment.replace(second=0, microsecond=0) for moment in (before, after)}
    spent = {minute + share * timedelta(minutes=1) for minute in minutes}

    assert any(abs(spent_until - max(moment, before)) < timedelta(seconds=3) for moment in spent)


def test_less_weight_than_we_know_of_changes_nothing(database: Database) -> None:
    """A host that counts less than we have spent does not give the allowance back."""

    async def ask(one: SharedLimits, _: SharedLimits) -> None:
        for weight in [100] * 5:
            await one.reserve(HOST, weight, 100)
        await one.observe(HOST, 1, 100)

        assert (await one.reserve(HOST, 100, 100) or 0) > 200

    with_pacers(database, ask)


def test_unreachable_database_is_told(database: Database) -> None:
    """Without the shared state nobody is asked, and one sentence says why."""
    nowhere = Database(database.url.rpartition("/")[0] + "/no_such_database")

    with pytest.raises(DatabaseUnreachable, match="no_such_database"):
        with_pacers(nowhere, lambda *_: asyncio.sleep(0))


def test_who_would_wait_too_long_takes_nothing(database: Database) -> None:
    """The impatient leave the allowance as it is, and are told that it is not their turn."""

    async def ask(one: SharedLimits, other: SharedLimits) -> None:
        await one.reserve(HOST, 10, 10)
        refused = [await other.reserve(HOST, 10, 10, longest=2.0) for _ in range(5)]
        wait = await one.reserve(HOST, 10, 10)

        assert [None] * 5 == refused
        assert 30 < (wait or 0) < 90

    with_pacers(database, ask)


def test_waits_side_by_side_count_once() -> None:
    """What is told is how long somebody waited for a host, however many did."""
    clock = [100.0]
    waits = Waits(lambda: clock[0])
    for wait in (0.0, 2.0, 3.0, 1.0):
        waits.add(HOST, 600, wait)
    clock[0] += 2.0
    waits.add(HOST, 600, 2.0)
    clock[0] += 10.0
    waits.add(HOST, 600, 1.0)

    assert 3.0 + 1.0 + 1.0 == waits.seconds


def test_limit_is_named_while_it_is_waited_for() -> None:
    """Of several the one that lasts longest; none before and none afterwards."""
    clock = [100.0]
    waits = Waits(lambda: clock[0])
    waits.add(HOST, 6000, 0.0)
    before = waits.limited_by
    waits.add(HOST, 6000, 1.0)
    waits.add("other.example", 2400, 2.0)
    meanwhile = waits.limited_by
    clock[0] += 2.0

    assert (None, "the limit of other.example, 2,400 a minute") == (before, meanwhile)
    assert waits.limited_by is None


def test_pacer_counts_its_waits(database: Database) -> None:
    """What is reserved for later is waited for; what nobody took is not."""

    async def ask(one: SharedLimits, other: SharedLimits) -> None:
        await one.reserve(HOST, 10, 10)
        await other.reserve(HOST, 10, 10, longest=2.0)
        wait = await one.reserve(HOST, 10, 10)

        assert other.waits.seconds == 0
        assert wait == pytest.approx(one.waits.seconds)
        assert f"the limit of {HOST}, 10 a minute" == one.waits.limited_by

    with_pacers(database, ask)
