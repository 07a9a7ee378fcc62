"""Schedules of faults: all that will go wrong in one little world, from its seed alone.

Pure data; what plays it is ``world``, what judges it ``oracle``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Literal

from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.sandbox.faults import MARKET, PAGES, REFUSALS, TRANSPORT, Fault

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TICK = 5 * MINUTE
SLOW_MS = 500
"""Longer than the clients of the world wait."""
MOST_PAGES = 90
"""Pages that the whole history of a schedule may take, so that none takes minutes."""
LISTED = datetime(2020, 8, 11, 6, tzinfo=UTC)
"""The hour in which the sandbox lists SOL-USDT."""
EDGES = (datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(2024, 1, 1, 1, tzinfo=UTC), LISTED)
"""Schedules play around a leap day, a new year, and a listing."""
FOR_GOOD = datetime(2026, 1, 1, tzinfo=UTC)
HISTORY = {
    "1m": (6 * HOUR, 30 * HOUR),
    "5m": (DAY, 4 * DAY),
    "15m": (2 * DAY, 8 * DAY),
    "1h": (3 * DAY, 25 * DAY),
    "4h": (10 * DAY, 40 * DAY),
    "1d": (20 * DAY, 60 * DAY),
    "3d": (30 * DAY, 60 * DAY),
    "1w": (30 * DAY, 60 * DAY),
}
"""The least and the most history at each interval."""
INTERVALS = (*4 * ("1m",), *3 * ("5m",), *3 * ("1h",), "15m", "4h", "1d", "3d", "1w")
ERRORS = (MINUTE, 10 * MINUTE, HOUR, 7 * HOUR, DAY, 3 * DAY, 31 * DAY, 366 * DAY)

Harm = Literal["stopped", "killed", "terminated", "all_terminated", "two_at_once", "refetch"]
INTERRUPTIONS: tuple[Harm, ...] = ("stopped", "killed", "terminated", "all_terminated")
"""At one of its steps a run is stopped, or gone; or its connection is, or every connection."""
HARMS: tuple[Harm, ...] = (*INTERRUPTIONS, "two_at_once", "refetch")
CLOCKS = ("clock_ahead", "clock_behind")
MISFORTUNES = tuple(kind for kind in MARKET if kind != "quiet")
"""Of the market; where nobody trades, this venue has candles as ever, and nothing is wrong."""
KINDS = (*REFUSALS, *TRANSPORT, *PAGES, *MISFORTUNES, *CLOCKS, *HARMS)
"""Every kind of fault that schedules are made of."""


@dataclass(frozen=True, slots=True)
class Blow:
    """What befalls our own processes: at which of their steps, where that matters."""

    harm: Harm
    at: int = 0

    def __str__(self) -> str:
        return f"{self.harm}@{self.at}" if self.at else self.harm


@dataclass(frozen=True, slots=True)
class Tick:
    """One look of the house: how long after the last, how wrong our clock is, what goes wrong."""

    step: timedelta
    error: timedelta = timedelta()
    faults: tuple[Fault, ...] = ()
    mirror_faults: tuple[Fault, ...] = ()
    blows: tuple[Blow, ...] = ()

    def __str__(self) -> str:
        told = [told_of(fault) for fault in self.faults]
        told += [f"mirror {told_of(fault)}" for fault in self.mirror_faults]
        if self.error:
            told.append(
                f"our clock {'ahead' if self.error > timedelta() else 'behind'} {abs(self.error)}"
            )
        told += map(str, self.blows)
        return f"after {self.step}: {', '.join(told) or 'nothing'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A little world and its misfortunes; ``start`` is the true time before the first tick."""

    seed: int
    interval: Interval
    instruments: tuple[str, ...]
    since: datetime
    start: datetime
    page_limit: int
    has_mirror: bool
    concurrency: int
    weight_per_minute: int
    days_at_once: int
    is_filled: bool
    market: tuple[Fault, ...]
    ticks: tuple[Tick, ...]

    @property
    def series(self) -> tuple[CandleSeries, ...]:
        """What is collected."""
        return tuple(
            CandleSeries("binance", Instrument.parse(one), self.interval)
            for one in self.instruments
        )

    @property
    def kinds(self) -> set[str]:
        """The kinds of fault it orders."""
        ticks = self.ticks
        faults = [
            *self.market,
            *(one for tick in ticks for one in (*tick.faults, *tick.mirror_faults)),
        ]
        clocks = {CLOCKS[tick.error < timedelta()] for tick in ticks if tick.error}
        return (
            {one.kind for one in faults}
            | clocks
            | {one.harm for tick in ticks for one in tick.blows}
        )

    def __str__(self) -> str:
        names, there = ", ".join(self.instruments), "full" if self.is_filled else "empty"
        mirror = "a mirror" if self.has_mirror else "no mirror"
        lines = [
            f"seed {self.seed}: {names} {self.interval} since {self.since:%F %R}",
            f"  from {self.start:%F %R}, {there} at first; pages of {self.page_limit}, {mirror}",
            f"  {self.concurrency} at a time, weight {self.weight_per_minute}, {self.days_at_once} days at once",
            *(f"  market: {told_of(fault)}" for fault in self.market),
            *(f"  tick {number}, {tick}" for number, tick in enumerate(self.ticks)),
        ]
        return "\n".join(lines)


def told_of(fault: Fault) -> str:
    """A fault in nearly its compact form."""
    told = fault.kind + (f":{fault.symbol}" if fault.symbol else "")
    if fault.start and fault.end:
        return f"{told}:{fault.start:%FT%R}/{fault.end:%FT%R}"
    options = [f"times={fault.times}"] if fault.times else []
    options += [f"probability={fault.probability:.2f}"] if fault.probability < 1 else []
    options += [f"retry_after={fault.retry_after}"] if fault.retry_after is not None else []
    options += [f"ms={fault.ms}"] if fault.kind == "slow" else []
    options += [f"path={fault.path}"] if fault.path != "/" else []
    return f"{told}:{','.join(options)}" if options else told


def schedule(seed: int) -> Schedule:
    """The schedule of a seed; every kind of fault has its turn every ``len(KINDS)`` seeds."""
    return _Maker(Random(seed), KINDS[seed % len(KINDS)]).made(seed)


class _Maker:
    """Draws one schedule, always in the same order."""

    def __init__(self, rng: Random, theme: str) -> None:
        self.rng = rng
        self.theme = theme
        self.themes = {theme, *rng.sample(KINDS, rng.randint(0, 3))}
        self.interval = Interval.parse(rng.choice(INTERVALS))
        edge = rng.choice(EDGES)
        others = rng.sample(("BTC-USDT", "ETH-USDT"), rng.randint(1, 2))
        self.instruments = ("SOL-USDT", *others[1:]) if edge == LISTED else tuple(others)
        least, most = HISTORY[self.interval.name]
        self.history = self.among(least, most)
        self.start = self._minute(edge + self.history * rng.uniform(-0.1, 0.9))
        self.since = self.start - self.history
        if rng.random() < 0.8:  # the settings know days only
            self.since = self.since.replace(hour=0, minute=0)
        slots = len(self.instruments) * (self.start - self.since) / self.interval.step
        # A page of few slots that are days long each cannot hold both ends of a hole.
        few = (2, 3, 5, 12) if self.interval.step <= DAY else ()
        limits = [one for one in (*few, 50, 100, 500) if slots / one < MOST_PAGES]
        self.page_limit = rng.choice([*limits, 1000])

    def made(self, seed: int) -> Schedule:
        """All of it."""
        rng = self.rng
        has_mirror = rng.random() < 0.6
        steps = [self.step() for _ in range(rng.randint(2, 6))]
        self.end = self.start + sum(steps, timedelta())
        wrong = self.clock_errors(len(steps))
        ticks = tuple(
            Tick(step, error, self.faults(), self.faults() if has_mirror else (), self.blows())
            for step, error in zip(steps, wrong, strict=True)
        )
        return Schedule(
            seed=seed,
            interval=self.interval,
            instruments=self.instruments,
            since=self.since,
            start=self.start,
            page_limit=self.page_limit,
            has_mirror=has_mirror,
            concurrency=rng.randint(1, 4),
            weight_per_minute=rng.choice((200, 6000, 1_000_000)),
            days_at_once=rng.choice((7, 31)),
            is_filled=rng.random() < 0.4,
            market=tuple(self.market()),
            ticks=ticks,
        )

    def among(self, least: timedelta, most: timedelta) -> timedelta:
        """A span between two, in whole minutes."""
        return timedelta(minutes=self.rng.randint(least // MINUTE, max(most, least) // MINUTE))

    def step(self) -> timedelta:
        """The pause before a tick: mostly the house's own, at times a long silence."""
        rng, step = self.rng, self.interval.step
        longest = min(12 * HOUR if step < HOUR else 3 * DAY, self.history / 3)
        return rng.choice(
            (TICK, TICK, 2 * TICK, self.among(TICK, 2 * HOUR), self.among(TICK, longest))
        )

    def clock_errors(self, count: int) -> list[timedelta]:
        """By tick; our clock jumps, and at some time jumps back."""
        wrong = [timedelta()] * count
        for kind, sign in zip(CLOCKS, (1, -1), strict=True):
            if kind in self.themes:
                first = self.rng.randrange(count)
                error = sign * self.rng.choice(ERRORS)
                for tick in range(first, self.rng.randint(first + 1, count)):
                    wrong[tick] = error
        return wrong

    def faults(self) -> tuple[Fault, ...]:
        """What a host does wrong at one tick."""
        kinds = sorted(self.themes & {*REFUSALS, *TRANSPORT, *PAGES})
        return tuple(self.fault(kind) for kind in kinds if self.has_turn(kind))

    def has_turn(self, kind: str) -> bool:
        """At every tick what the schedule is about, and beside it now and then the rest."""
        return kind == self.theme or self.rng.random() < 0.5

    def fault(self, kind: str) -> Fault:
        """One of them: a few times, now and then, or always."""
        rng = self.rng
        times = rng.choice((1, 2, rng.randint(3, 12), None))
        is_slow = kind == "slow"
        paths = (
            ("/",) * 3
            + ("/binance/api/v3/klines",)
            + ("/binance/api/v3/exchangeInfo",) * (kind not in PAGES)
        )
        return Fault(
            kind=kind,
            symbol=rng.choice(self.symbols()) if rng.random() < 0.2 else None,
            path=rng.choice(paths),
            times=min(times or 3, 3) if is_slow else times,
            probability=rng.choice((1.0, 1.0, rng.uniform(0.1, 0.9))),
            retry_after=rng.choice((None, 0, 1, 30, 61, 300, 7200))
            if kind in ("429", "418")
            else None,
            ms=rng.choice((5, 50, SLOW_MS)),
        )

    def blows(self) -> tuple[Blow, ...]:
        """What befalls our processes at one tick."""
        rng = self.rng
        harms = [one for one in HARMS if one in self.themes and self.has_turn(one)]
        return tuple(
            Blow(one, int(2 ** rng.uniform(0, 6.5)) if one in INTERRUPTIONS else 0) for one in harms
        )

    def market(self) -> list[Fault]:
        """What the market itself lacks, for ever; the ``end`` of nearly all is known by the last tick."""
        kinds = [one for one in MISFORTUNES if one in self.themes]
        kinds += ["outage"] * self.rng.choice((0, 0, 1, 2))
        return [self.gone(kind) for kind in kinds for _ in range(self.rng.choice((1, 1, 2)))]

    def gone(self, kind: str) -> Fault:
        """A span of it: slots, pages, days, over midnight, at the beginning, or while we look on."""
        rng, step = self.rng, self.interval.step
        start = self._minute(self.since + rng.random() * (self.end - self.since))
        midnight = start.replace(hour=0, minute=0)
        shapes = [
            (start, start + step * rng.randint(1, 5)),
            (start, start + step * self.page_limit * rng.randint(1, 3)),
            (midnight, midnight + DAY * rng.randint(1, 4)),
            (midnight - step * rng.randint(0, 3), midnight + step * rng.randint(1, 3)),
            (self.since - step * rng.choice((0, 1, 50)), self.since + step * rng.randint(1, 30)),
            (
                self.start - self.among(TICK, 6 * HOUR),
                self.start + (self.end - self.start) * rng.random(),
            ),
        ]
        first, last = rng.choice(shapes)
        last = min(last, first + max(self.history / 2, 4 * step), self.end)
        if kind == "delisted" and rng.random() < 0.4:
            begun = max(self.since, LISTED) + 3 * step  # a row or more is there
            first, last = max(self.start - self.among(TICK, DAY), begun), FOR_GOOD
        return Fault(
            kind=kind,
            symbol=rng.choice(self.symbols()) if rng.random() < 0.5 else None,
            start=first,
            end=max(last, first + MINUTE),
        )

    def symbols(self) -> list[str]:
        """As the venue spells them."""
        return [one.replace("-", "") for one in self.instruments]

    def _minute(self, moment: datetime) -> datetime:
        return moment.replace(second=0, microsecond=0)
