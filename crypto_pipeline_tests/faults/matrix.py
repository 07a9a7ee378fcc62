"""Plays schedules and judges them: some hundred seeds in CI, thousands with one command."""

import time
import traceback
from collections import Counter
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.faults.oracle import Held, Oracle
from crypto_pipeline_tests.faults.schedule import DAY, KINDS, TICK, Schedule, Tick, schedule
from crypto_pipeline_tests.faults.world import Venues, World, world

ROUND = len(KINDS)
"""So many seeds in a row have every kind of fault among them."""
SOON = 3
"""Good ticks at the house's own pace, beside one for each repair; each later one waits twice as long."""
LONGEST = DAY
"""The longest step, so that no more has to be repaired with each tick."""
MOST = 18
"""Good ticks after which all must be filled or explained, beside three for each repair."""


@dataclass(frozen=True)
class Outcome:
    """What came of one schedule; ``problems`` are what must never be."""

    seed: int
    struck: Counter[str]
    ticks: int
    healed_after: timedelta
    requests: int
    runs_ended: int
    seconds: float
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Enough to play it again."""
        return "\n".join((str(schedule(self.seed)), *(f"  ! {one}" for one in self.problems)))


def play(seed: int, venues: Venues, database: Database) -> Outcome:
    """Play a seed's schedule, let it heal, and judge it all the while."""
    plan, began = schedule(seed), time.perf_counter()
    venues.struck.clear()
    with world(plan, venues, database) as one:
        game = Game(plan, one, Oracle(plan))
        for tick in plan.ticks:
            game.tick(tick)
        ended = one.clock.truth
        struck = venues.struck + Counter(fault.kind for fault in plan.market)
        ticks = game.heal()
        return Outcome(
            seed=seed,
            struck=struck,
            ticks=ticks,
            healed_after=one.clock.truth - ended,
            requests=game.requests + venues.asked(),
            runs_ended=one.runs_ended,
            seconds=time.perf_counter() - began,
            problems=tuple(game.problems),
        )


class Game:
    """One schedule on its way; it ends with the first problem."""

    def __init__(self, plan: Schedule, one: World, oracle: Oracle) -> None:
        self.problems: list[str] = []
        self.requests = 0
        self._plan, self._world, self._oracle = plan, one, oracle
        self._ticks = 0

    def tick(self, tick: Tick) -> Held | None:
        """Take a tick and judge what is there; None when something was wrong, now or before."""
        if self.problems:
            return None
        told = f"tick {self._ticks}, {tick}"
        self._ticks += 1
        try:
            self._world.tick(tick)
        except Exception:  # noqa: BLE001 - whatever it is, it is told with the seed
            self.problems.append(f"{told}: {traceback.format_exc()}")
            return None
        held = Held.of(self._world.admin)
        wrong = self._oracle.wrong(held, self._world.clock.truth)
        self.problems += [f"{told}: {one}" for one in wrong]
        return None if wrong else held

    def heal(self) -> int:
        """Tick in good weather until nothing is open; how many ticks it took."""
        ended, step = self._world.clock.truth, TICK
        repairs = max(0, -((self._plan.since - ended) // (self._plan.days_at_once * DAY)))
        most = MOST + 3 * repairs + self._days_ahead()
        left: dict[str, set[int]] = {}
        for number in range(1, most + 1):
            now = self._world.clock.truth + step
            held = self.tick(Tick(step))
            if held is None:
                return number
            left = self._oracle.open(held, now)
            if not left:
                self._rest(held, now)
                return number
            step = TICK if number < SOON + repairs else min(2 * step, LONGEST)
        told = {name: f"{len(slots)} from {min(slots)}" for name, slots in left.items()}
        self.problems.append(f"open after {most} good ticks, {now - ended}: {told}")
        return most

    def _days_ahead(self) -> int:
        """How long an explanation may wait that was noted while our clock ran ahead."""
        return max(timedelta(), *(tick.error for tick in self._plan.ticks)) // DAY

    def _rest(self, held: Held, now: datetime) -> None:
        """What is healed is left alone: another look at once asks nobody, and changes nothing."""
        if self._world.clock.truth != now or any(hole.next_at <= now for hole in held.holes):
            return
        self.requests += self._world.venues.asked()
        after = self.tick(Tick(timedelta()))
        asked = self._world.venues.asked()
        self.requests += asked
        if after is not None and (asked or after != held):
            changed = [one.name for one in fields(Held) if _differ(after, held, one.name)]
            self.problems.append(f"a look at what is healed asked {asked} times, changed {changed}")


def _differ(one: Held, other: Held, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))
