"""Past values of one series: each provider is asked for what those before it did not give."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeVar

from crypto_pipeline.errors import ProviderError
from crypto_pipeline.ingestion.fetching import PageSender, Source
from crypto_pipeline.ingestion.observed_rows import ObservedRows
from crypto_pipeline.ingestion.plan import pages as paged
from crypto_pipeline.ingestion.telling import NOT_IN_THE_ANSWER
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.holes import Attempt, Vain
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.client import Ask, Client
from crypto_pipeline.providers.declaration import Asker, History, Question, Reply
from crypto_pipeline.warehouse.writer import SeriesRows

T = TypeVar("T")
Ranked = tuple[int, Client]
"""A provider's client, and its place in the order of trust."""

REFILLED_TRUST = 100
"""What was had later is trusted less than anything that was seen when it was the present; what is
published is the same whenever it is read."""


@dataclass(frozen=True, slots=True)
class _Teller:
    """A provider that tells the past of a series, and what it calls it."""

    client: Client
    history: History
    name: str
    trust: int
    elsewhere: bool = False
    """Another can be asked after it."""

    @property
    def source(self) -> Source:
        """Who its rows are from."""
        return Source(self.client.provider.name, self.trust)


@dataclass(slots=True)
class Refill:
    """The refilling of some slots of a series; ``failure`` is the last one that left slots open."""

    rows: ObservedRows
    left: Runs
    failure: tuple[str, ProviderError] | None = None
    _reached: Runs = field(default_factory=Runs)
    _absent: list[tuple[Window, Vain]] = field(default_factory=list)

    async def run(self, past: Sequence[Ranked], pages: PageSender) -> None:
        """Ask them in turn, until nothing is left or nobody is."""
        is_published = self.rows.dataset.is_provisional_at is not None
        first = 0 if is_published else REFILLED_TRUST
        tellers = [
            _Teller(client, history, name, first + rank)
            for rank, client in past
            if (history := client.provider.histories.get(self.rows.dataset.name))
            and (name := history.name(self.rows.series.name)) is not None
        ]
        for teller in tellers:
            try:
                await self._ask(replace(teller, elsewhere=teller is not tellers[-1]), pages)
            except ProviderError as error:
                self.failure = teller.source.name, error

    @property
    def attempt(self) -> Attempt | None:
        """What is to be noted of it where nobody failed; None where nothing is left."""
        if not self.left:
            return None
        parts = [(run, vain) for window, vain in self._absent for run in self.left.within(window)]
        lost = [(run, self._beyond_reach()) for run in self.left - self._reached]
        return Attempt(self.left, Vain("Unanswered", NOT_IN_THE_ANSWER), [*parts, *lost])

    async def _ask(self, teller: _Teller, pages: PageSender) -> None:
        """Ask one provider for all that is left, a span at a time, newest first."""
        history = teller.history
        for window in paged(self._within_reach(history), history.span):
            self._reached += Runs((window,))
            await self._ask_for(window, window, teller, pages)
            if not history.absence:
                continue
            # Only a hole at the edge of an answer needs one that reaches beyond it.
            for hole in paged(self._unproven(window), history.span - 2 * self._step):
                around = Window(hole.start - self._step, hole.end + self._step)
                await self._ask_for(hole, around, teller, pages)

    async def _ask_for(
        self, wanted: Window, asked: Window, teller: _Teller, pages: PageSender
    ) -> None:
        """Ask for a window; keep what was lacking of the wanted part, and what the answer proves."""
        ask = _asker(teller, self.rows, asked)
        seen = await teller.history.rows(ask, teller.name, asked, self._step)
        found = self._wanted(self.rows.of_past(seen), wanted)
        if found.rows or found.rejected:
            await pages.send((teller.source, found))
        times = [one.observed_at for one in seen if one.observed_at]
        self._absent += self._absences(times, teller.history, teller.source.name)
        self.left -= Runs.of(self._slot(row[0]) for row in found.rows)

    @property
    def _step(self) -> timedelta:
        return self.rows.series.interval.step

    def _unproven(self, window: Window) -> Runs:
        """What is left of a window, and not proven to be nowhere."""
        return self.left.within(window) - Runs.of(one for one, _ in self._absent)

    def _within_reach(self, history: History) -> Runs:
        if history.depth is None or not self.left:
            return self.left
        edge = self.rows.series.interval.ceil(self.rows.now - history.depth)
        newest = self.left.windows[-1].end
        return self.left.within(Window(edge, newest)) if edge < newest else Runs()

    def _wanted(self, found: SeriesRows, window: Window) -> SeriesRows:
        wanted = self.left.within(window)
        return SeriesRows(
            found.series,
            [row for row in found.rows if row[0] in wanted],
            [one for one in found.rejected if one.row[0] in wanted],
        )

    def _slot(self, start: datetime) -> Window:
        return Window(start, start + self._step)

    def _absences(
        self, times: Sequence[datetime], history: History, provider: str
    ) -> Iterator[tuple[Window, Vain]]:
        """What lies between two values of one answer and has none, where that proves anything."""
        floor, step = self.rows.series.interval.floor, self._step
        for before, after in pairwise(sorted(times)):
            start, end = floor(before) + step, floor(after)
            if history.absence and start < end:
                evidence = {
                    "provider": provider,
                    "row_before": before.isoformat(),
                    "row_after": after.isoformat(),
                }
                vain = Vain("Absent", NOT_IN_THE_ANSWER, reason=history.absence, evidence=evidence)
                yield Window(start, end), vain

    def _beyond_reach(self) -> Vain:
        """For slots that no provider's history reaches: what was not seen then cannot be had now."""
        dataset = self.rows.dataset.name
        return Vain(
            "BeyondReach",
            f"no provider of {dataset} that can be asked keeps {self.rows.series} this far back",
            reason="not_refillable",
            evidence={"asked_at": self.rows.now.isoformat()},
            is_certain=True,
        )


def _asker(teller: _Teller, rows: ObservedRows, window: Window) -> Asker:
    async def ask(question: Question, read: Callable[[Reply], T]) -> T:
        return await teller.client.ask(
            Ask(question, rows.series, window, read, elsewhere=teller.elsewhere)
        )

    return ask
