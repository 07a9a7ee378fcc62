"""A little world: one warehouse, a venue and its mirror over real HTTP, and a time of its own.

The house's looks are taken here as its schedules and its sensor take them; pauses pass at once.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import httpx
import psycopg

from crypto_pipeline.errors import UnreachableError
from crypto_pipeline.ingestion import fetching, listings
from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.listings import read_calendar
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import Window, midnight
from crypto_pipeline.orchestration.jobs import LOOK_BACK
from crypto_pipeline.orchestration.sensors import choose
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.sandbox.faults import Asked, Fault
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.ledger import Asking
from crypto_pipeline_tests.faults.interruption import Interruption, Stopped, WatchedDatabase
from crypto_pipeline_tests.faults.schedule import CLOCKS, DAY, MINUTE, TICK, Schedule, Tick

PATIENCE_SECONDS = 0.3
"""How long the clients of the world wait for an answer."""
LATE_AFTER = 11 * MINUTE
LOOKS = 4
"""How often the sensor looks when a long time passes at once, in which it would look hundreds of times."""
EMPTY = """
do $$
declare name text;
begin
    for name in
        select c.oid::regclass::text from pg_class as c
        where relnamespace = 'warehouse'::regnamespace and relkind in ('r', 'p')
            and not relispartition and relname not like 'alembic%'
        -- What refers to others was made after them.
        order by c.oid desc
    loop
        execute 'delete from ' || name;
    end loop;
end $$
"""
MOVE_LIMITS = """
with moved as (
    update warehouse.provider_health
    set open_until = open_until - %(by)s, trial_until = trial_until - %(by)s
    where open_until is not null
)
update warehouse.rate_limits
set spent_until = spent_until - %(by)s, blocked_until = blocked_until - %(by)s
"""


@dataclass
class Clock:
    """The true time, which the venues go by, and how far ours is from it."""

    truth: datetime = datetime(2024, 1, 1, tzinfo=UTC)
    error: timedelta = timedelta()

    def __call__(self) -> datetime:
        """The true time."""
        return self.truth

    @property
    def ours(self) -> datetime:
        """What our own clock shows."""
        return self.truth + self.error


@dataclass(frozen=True)
class Venues:
    """The venue and its mirror; ``struck`` counts by kind what they did wrong."""

    clock: Clock
    hosts: tuple[Sandbox, Sandbox]
    struck: Counter[str]

    def order(self, market: tuple[Fault, ...], *faults: tuple[Fault, ...]) -> None:
        """From now on this market, and these faults of each host."""
        for host, its in zip(self.hosts, faults or ((), ()), strict=True):
            host.clear_faults()
            host.order(*market, *its)

    def asked(self) -> int:
        """How many requests came since the last time."""
        count = sum(len(host.requests()) for host in self.hosts)
        for host in self.hosts:
            host.clear_requests()
        return count


@contextmanager
def venues() -> Iterator[Venues]:
    """Both hosts on loopback, and clients that are as impatient as time here is short."""
    clock, struck = Clock(), Counter[str]()
    settings = SandboxSettings(clock=clock, weight_limit=None)
    with ExitStack() as stack:
        hosts = stack.enter_context(running(settings)), stack.enter_context(running(settings))
        for host in hosts:
            host.control.book.strike = _counted(host.control.book.strike, struck)
        for module in (fetching, listings):
            stack.enter_context(patch.object(module, "http_client", _impatient))
        yield Venues(clock, hosts, struck)


def _counted(
    strike: Callable[[Asked], tuple[Fault, ...]], struck: Counter[str]
) -> Callable[[Asked], tuple[Fault, ...]]:
    def counted(asked: Asked) -> tuple[Fault, ...]:
        found = strike(asked)
        struck.update(fault.kind for fault in found)
        return found

    return counted


def _impatient() -> httpx.AsyncClient:
    """The package's client but for its patience, and without certificates, which nobody here has."""
    return httpx.AsyncClient(timeout=PATIENCE_SECONDS, verify=False)  # noqa: S501


@dataclass
class World:
    """One schedule's world. Whatever happens in it can be asked for in its database."""

    schedule: Schedule
    venues: Venues
    admin: psycopg.Connection[Any]
    line: Line
    interruption: Interruption
    runs_ended: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def clock(self) -> Clock:
        """Its time."""
        return self.venues.clock

    def tick(self, tick: Tick) -> None:
        """Let time pass, then do what the house does: its schedule, and what its sensor asks for."""
        self.clock.error = tick.error
        self.pass_time(tick.step)
        self.venues.order(self.schedule.market, tick.faults, tick.mirror_faults)
        self.interruption.expect(tick.blows)
        harms = {blow.harm for blow in tick.blows}
        self.process(lambda: self.look(self.newest_days(), "patiently"))
        for _ in range(LOOKS if tick.step > TICK else 1):
            for window in self.process(self.to_repair) or ():
                self.process(lambda window=window: self.look(window, "patiently"))
        since = midnight(self.schedule.since.date())
        whole = Window(since, max(self.clock.ours, since) + DAY)
        if "refetch" in harms:
            self.process(lambda: self.look(whole, "everything"))
        if "two_at_once" in harms:
            self.process(lambda: self.look(whole, "missing"), lambda: self.look(whole, "missing"))
        self.venues.struck.update(self.interruption.struck)
        self.venues.struck.update(harms & {"refetch", "two_at_once"})
        self.venues.struck.update([CLOCKS[tick.error < timedelta()]] * bool(tick.error))

    def newest_days(self) -> Window | None:
        """What the schedules bring up to date; None where our clock shows a time before the first day."""
        now = self.clock.ours
        days = list(Window(now - LOOK_BACK, now + timedelta(microseconds=1)).days())
        first = max(days[0], self.schedule.since.date())
        return Window(midnight(first), midnight(days[-1]) + DAY) if first <= days[-1] else None

    def to_repair(self) -> list[Window]:
        """What the sensor has repaired: today at once, and one range of older days."""
        now, most = self.clock.ours, self.schedule.days_at_once
        self.line.register(now)
        found = self.line.ledger.days_to_repair(OHLC, now, now - LATE_AFTER, 3 * most)
        repair = choose(found, [], now.date(), most)
        ranges = [(repair.today, repair.today), repair.older or (None, None)]
        return [Window(midnight(a), midnight(b) + DAY) for a, b in ranges if a and b]

    def look(self, window: Window | None, asking: Asking) -> None:
        """What a run of ours does."""
        now = self.clock.ours
        if window:
            read_calendar(self.line, now, only_due=True)
            ingest(self.line, window, now=now, asking=asking)

    def process(self, *works: Callable[[], Any]) -> Any:
        """Do something as a process of its own, or several side by side; None when it was ended.

        Only what struck may end it: all other errors are the pipeline's own, and are raised.
        """
        self.interruption.next_process()
        results: list[Any] = []
        errors: list[BaseException] = []

        def run(work: Callable[[], Any]) -> None:
            try:
                results.append(work())
            except BaseException as error:  # noqa: BLE001 - judged below, in the thread that waits
                errors.append(error)

        threads = [threading.Thread(target=run, args=(work,)) for work in works[1:]]
        for thread in threads:
            thread.start()
        run(works[0])
        for thread in threads:
            thread.join()
        for error in errors:
            if not self._is_explained(error):
                raise error
        self.runs_ended += len(errors)
        return None if errors else results[0]

    def _is_explained(self, error: BaseException) -> bool:
        """Whether a blow that fell is reason enough."""
        struck = set(self.interruption.struck)
        if isinstance(error, Stopped):
            return bool(struck & {"stopped", "killed"})
        is_lost = isinstance(error, UnreachableError | psycopg.InterfaceError) or (
            isinstance(error, psycopg.OperationalError)
            and not isinstance(error, psycopg.errors.DeadlockDetected)
        )
        return is_lost and bool(struck & {"terminated", "all_terminated"})

    async def sleep(self, seconds: float) -> None:
        """Let a pause pass; it is a step, at which a run can be ended."""
        self.interruption.step()
        self.pass_time(timedelta(seconds=seconds))
        await asyncio.sleep(0)

    def pass_time(self, span: timedelta) -> None:
        """Move the true time on; the limits live on the database's clock, so they move back instead."""
        with self._lock:
            self.clock.truth += span
            self.admin.execute(MOVE_LIMITS, {"by": span})


@contextmanager
def world(schedule: Schedule, venues: Venues, database: Database) -> Iterator[World]:
    """A world with an empty warehouse, or one that was filled in good weather."""
    with psycopg.connect(database.url, autocommit=True, application_name="a bystander") as admin:
        admin.execute(EMPTY)
        interruption = Interruption(admin)
        watched = WatchedDatabase(database.url, interruption.step)
        providers = {"binance": _provider(schedule, venues, interruption)}
        line = Line(watched, providers, schedule.series, schedule.since)
        one = World(schedule, venues, admin, line, interruption)
        one.line = replace(line, sleep=one.sleep)
        venues.clock.truth, venues.clock.error = schedule.start, timedelta()
        venues.order(schedule.market)
        venues.asked()
        if schedule.is_filled:
            one.look(Window(midnight(schedule.since.date()), schedule.start), "missing")
        yield one


def _provider(schedule: Schedule, venues: Venues, interruption: Interruption) -> Provider:
    """Binance as the schedule wants it; each page that is read is a step."""
    assert BINANCE.candles is not None

    def stepping(read: Any) -> Any:
        def rows(reply: Any) -> Any:
            interruption.step()
            return read(reply)

        return rows

    told = BINANCE.candles
    candles = replace(told, rows=stepping(told.rows), block=stepping(told.block))
    urls = [host.base_url() for host in venues.hosts]
    return replace(
        BINANCE,
        base_url=urls[0],
        mirrors=tuple(urls[1:]) if schedule.has_mirror else (),
        candles=replace(candles, page_limit=schedule.page_limit),
        limits=replace(
            BINANCE.limits,
            weight_per_minute=schedule.weight_per_minute,
            concurrency=schedule.concurrency,
        ),
    )
