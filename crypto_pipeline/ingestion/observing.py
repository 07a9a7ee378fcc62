"""Fetches what any of several providers can tell: the present from snapshots, the past from histories.

Providers are asked in their order of trust, each only for what those before it did not give.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crypto_pipeline.errors import ProviderError, RequestRejected
from crypto_pipeline.ingestion.fetch_log import flush_log
from crypto_pipeline.ingestion.fetching import PageSender, Source
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.observed_rows import ObservedRows
from crypto_pipeline.ingestion.refilling import Ranked, Refill
from crypto_pipeline.ingestion.telling import failed
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.holes import Attempt
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.client import Ask, Client, Fetch
from crypto_pipeline.providers.connecting import http_client
from crypto_pipeline.providers.declaration import Provider, Snapshot
from crypto_pipeline.providers.pacing import Pacer
from crypto_pipeline.warehouse.ledger import Wanted

Failures = dict[str, tuple[str, ProviderError]]
"""The provider and its error, by series."""


@dataclass(slots=True)
class Observing:
    """One window of one dataset on its way; what ``Fetching`` is for candles.

    ``attempts`` gathers what came of each series, ``failures`` the last reason, ``silent`` the
    series whose sources gave no answer at all.
    """

    line: Line
    dataset: Dataset
    wanted: Mapping[str, Wanted]
    window: Window
    now: datetime
    failures: dict[str, str] = field(default_factory=dict)
    attempts: defaultdict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    silent: set[str] = field(default_factory=set)
    planned: int = 0
    done: int = 0
    _log: deque[Fetch] = field(default_factory=deque)

    async def run(self, pacer: Pacer, _: datetime, pages: PageSender) -> None:
        """Ask everything, as much side by side as hosts allow; ends when all is answered."""
        async with pages, http_client() as http:

            def client(provider: Provider) -> Client:
                return Client(provider, http, pacer, self._log.append, sleep=self.line.sleep)

            live, past = (self._clients(client, kind) for kind in ("snapshots", "histories"))
            async with asyncio.TaskGroup() as tasks:
                present = tasks.create_task(self._present(live, pages))
                # Who tells both is asked for the present first: the past may take all that is allowed.
                if {one.provider.name for _, one in live} & {one.provider.name for _, one in past}:
                    await present
                for rows in self._rows():
                    if slots := self._past(rows, live):
                        self.planned += 1
                        tasks.create_task(self._refill(Refill(rows, slots), past, pages))

    def _clients(self, client: Callable[[Provider], Client], kind: str) -> Sequence[Ranked]:
        """Who tells the present, or the past, by rank."""
        trusted = self.line.trusted.get(self.dataset.name, ())
        return [
            (rank, client(one))
            for rank, one in enumerate(trusted)
            if self.dataset.name in getattr(one, kind)
        ]

    def flush_log(self) -> None:
        """Write what was asked since the last time to the fetch log."""
        flush_log(self.line.database, self._log)

    def _rows(self) -> list[ObservedRows]:
        return [
            ObservedRows(self.dataset, one, self.now)
            for one in self.line.observed
            if one.dataset == self.dataset.name
        ]

    def _wanted(self, name: str) -> Runs:
        found = self.wanted.get(name)
        return found.slots if found else Runs()

    def _past(self, rows: ObservedRows, live: Sequence[Ranked]) -> Runs:
        """What is wanted and is not the present; where nobody tells the present, it is past as well."""
        is_told = any(self._snapshot(client, rows) for _, client in live)
        return self._wanted(rows.series.name) - Runs((rows.present,) if is_told else ())

    def _snapshot(self, client: Client, rows: ObservedRows) -> tuple[Snapshot, str] | None:
        """How a provider tells the present value of a series, and what it calls it."""
        snapshot = client.provider.snapshots.get(self.dataset.name)
        name = snapshot.name(rows.series.name) if snapshot else None
        return (snapshot, name) if snapshot and name is not None else None

    async def _present(self, live: Sequence[Ranked], pages: PageSender) -> None:
        """Ask for the present values that are lacking, or that still change."""
        changes = self.dataset.is_provisional_at is not None
        lacking = {
            rows.series.name: rows
            for rows in self._rows()
            if rows.present.start in self.window
            and (changes or rows.present.start in self._wanted(rows.series.name))
        }
        errors: Failures = {}
        for number, turn in enumerate(live, 1):
            found = await asyncio.gather(
                *(
                    self._ask(turn, live[number:], part, pages, errors)
                    for part in self._parts(turn[1], lacking)
                )
            )
            lacking = {
                name: one for name, one in lacking.items() if name not in set().union(*found)
            }
        for name in lacking.keys() & errors.keys():
            self._fail(name, Runs((lacking[name].present,)), *errors[name])

    def _parts(
        self, client: Client, lacking: Mapping[str, ObservedRows]
    ) -> list[dict[str, ObservedRows]]:
        """What a provider is asked for, by its own names, as much as fits one request at a time."""
        told = [(one, found) for one in lacking.values() if (found := self._snapshot(client, one))]
        if not told:
            return []
        most = told[0][1][0].most
        parts = [told[at : at + most] for at in range(0, len(told), most)]
        self.planned += len(parts)
        return [{name: rows for rows, (_, name) in part} for part in parts]

    async def _ask(
        self,
        turn: Ranked,
        others: Sequence[Ranked],
        asked: Mapping[str, ObservedRows],
        pages: PageSender,
        errors: Failures,
    ) -> set[str]:
        """The series that a provider gave a value of, whom ``others`` come after."""
        trust, client = turn
        source, told = (
            Source(client.provider.name, trust),
            client.provider.snapshots[self.dataset.name],
        )
        elsewhere = any(self._snapshot(one, rows) for _, one in others for rows in asked.values())
        slot = next(iter(asked.values())).present
        question = told.question([*asked])
        self.done += 1
        try:
            given = await client.ask(Ask(question, None, slot, told.rows, elsewhere=elsewhere))
        except ProviderError as error:
            errors.update({one.series.name: (source.name, error) for one in asked.values()})
            return set()
        found: set[str] = set()
        for name in asked.keys() & given.keys():
            part = asked[name].of_present(given[name])
            await pages.send((source, part))
            if part.rows:
                found.add(part.series.name)
        return found

    async def _refill(self, refill: Refill, past: Sequence[Ranked], pages: PageSender) -> None:
        await refill.run(past, pages)
        self.done += 1
        name = refill.rows.series.name
        if refill.left and refill.failure:
            self._fail(name, refill.left, *refill.failure)
        elif attempt := refill.attempt:
            self.attempts[name].append(attempt)

    def _fail(self, name: str, slots: Runs, provider: str, error: ProviderError) -> None:
        """Note slots that stay open because the last provider that could be asked failed."""
        vain = failed(provider, error)
        self.failures[name] = vain.error
        if not isinstance(error, RequestRejected):
            self.silent.add(name)
        self.attempts[name].append(Attempt(slots & self._wanted(name), vain))
