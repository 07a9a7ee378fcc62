"""What the feeds of prices share: the coins of the tape, keys, and pages with something wrong.

What a feed calls a coin and how it prints a price is its protocol.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from starlette.requests import Request

from crypto_pipeline.sandbox.coins import Coin, CoinTape, Quote
from crypto_pipeline.sandbox.faults import PAGES, REFUSALS, Asked, Fault, FaultBook, disarranged
from crypto_pipeline.sandbox.refusals import Refusal, Words
from crypto_pipeline.sandbox.service import Service
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.venues import Reply

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lock:
    """The header without which nothing is told, how its value begins, and what is said instead."""

    header: str
    refusal: Refusal
    prefix: str = ""


class PriceFeed(Service):
    """A service over the coins; ``pages`` is the path whose rows come in pages."""

    lock: Lock | None = None
    pages: str | None = None

    def __init__(self, settings: SandboxSettings, book: FaultBook) -> None:
        super().__init__(settings, book)
        self._tape = CoinTape(settings.seed, book)
        self._kinds: Sequence[str] = ()

    def asked(self, path: str, _: Request) -> Asked:
        """By path alone: most questions are about many coins."""
        is_page = self.pages is not None and re.fullmatch(self.pages, path) is not None
        return Asked(f"/{self.name}{path}", is_page=is_page)

    def reply(self, path: str, request: Request, faults: Sequence[Fault]) -> Reply:
        """Refusal, lock, answer: in the order a request meets them."""
        self._kinds = [fault.kind for fault in faults if fault.kind in PAGES]
        is_refused = any(fault.kind in REFUSALS for fault in faults)
        if self.lock and not is_refused and not _opens(self.lock, request):
            return self.lock.refusal.reply()
        return super().reply(path, request, faults)

    def now(self) -> int:
        """The sandbox's time in milliseconds."""
        return int(self.settings.clock().timestamp() * 1000)

    def quotes(self) -> list[tuple[Coin, Quote]]:
        """What every coin costs now, the largest first."""
        return self._tape.all_now(f"/{self.name}", self.now())

    def past(self, coin: Coin, moments: Sequence[int]) -> list[Quote]:
        """What it cost at those of the moments that are past; page faults disarrange them."""
        until = self.now()
        told = [at for at in moments if at <= until]
        return self.page(self._tape.past(coin, f"/{self.name}", told))

    def page(self, rows: Sequence[T]) -> list[T]:
        """The rows in the order and disorder in which this request gets them."""
        return [rows[at] for at in disarranged(len(rows), self._kinds)]


def _opens(lock: Lock, request: Request) -> bool:
    given = request.headers.get(lock.header, "")
    return given.startswith(lock.prefix) and given != lock.prefix


def words_of(unknown: object, bad_request: object, too_many: object, status: int = 404) -> Words:
    """The words of a provider to whom an unknown name is of that status."""
    return Words(
        unknown_symbol=Refusal(status, unknown),
        bad_request=Refusal(400, bad_request),
        too_many=Refusal(429, too_many),
    )


def iso(moment: int) -> str:
    """Milliseconds as ``2022-01-30T18:23:08Z``."""
    return f"{datetime.fromtimestamp(moment // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
