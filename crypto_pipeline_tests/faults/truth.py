"""What the venue truly has: the sandbox's own market, asked without HTTP and without the pipeline.

Rows are lines of text, so that what is stored is held against it digit for digit.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.sandbox.candles import Candles
from crypto_pipeline.sandbox.faults import ROWLESS, Fault
from crypto_pipeline.sandbox.grids import DAY, GRIDS, MS
from crypto_pipeline.sandbox.listings import E8, LISTINGS, Listing
from crypto_pipeline.sandbox.market import Ask, Weather, page
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.tape import Tape

GRACE = 2_000
BEFORE, AHEAD = 60, 500
"""Slots that are worked out at once before the first one that is wanted, and after the present."""
Slots = set[int]
"""Slots by their open time in milliseconds."""


@dataclass
class Truth:
    """One series as the venue has it; ``market`` are the faults of the market itself."""

    series: CandleSeries
    since: datetime
    market: tuple[Fault, ...]
    lines: set[str] = field(default_factory=set)
    opened: set[int] = field(default_factory=set)
    _slots: list[int] = field(default_factory=list)
    _known_to: int = 0

    @property
    def step(self) -> int:
        """Length of a slot."""
        return self.series.interval.step // MS

    @property
    def begins(self) -> int:
        """What came before is not known here."""
        return ms(self.since) - BEFORE * self.step

    def slot(self, moment: int) -> int:
        """The slot that holds an instant."""
        return moment - (moment - GRIDS[self.series.interval.name].anchor) % self.step

    def due(self, now: int) -> range:
        """Every slot that is wanted and due."""
        return range(self.slot(ms(self.since) + self.step - 1), self.slot(now - GRACE), self.step)

    def filled(self, now: int) -> Slots:
        """The slots that have closed, and in which the venue has a row."""
        self.look(now)
        return set(self._slots[: bisect_right(self._slots, now - self.step)])

    def look(self, now: int) -> None:
        """Know of everything until then, and some way beyond."""
        if now <= self._known_to:
            return
        symbol = str(self.series.instrument).replace("-", "")
        listing = next(one for one in LISTINGS if one.symbol == symbol)
        until = now + AHEAD * self.step
        ask = Ask(self.begins, until, (until - self.begins) // self.step + 2)
        tape, grid = Tape(listing, SandboxSettings().seed), GRIDS[self.series.interval.name]
        # Far enough beyond that no row is still running.
        found = page(tape, grid, ask, until + 8 * DAY, self._weather(symbol))
        rows = dict(_lines(self.series.name, found, listing))
        self.opened, self.lines = set(rows), set(rows.values())
        self._slots = [self.slot(moment) for moment in rows]
        self._known_to = until

    def _weather(self, symbol: str) -> Weather:
        spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for fault in self.market:
            if fault.symbol in (None, symbol):
                spans["gone" if fault.kind in ROWLESS else fault.kind].append(fault.span)
        return Weather(tuple(spans["gone"]), tuple(spans["off_grid"]))


def _lines(name: str, candles: Candles, listing: Listing) -> Iterator[tuple[int, str]]:
    """As Postgres prints what Binance prints: prices and amounts with eight places."""
    tick, step = listing.tick, listing.step
    columns = (
        *((prices, tick) for prices in (candles.open, candles.high, candles.low, candles.close)),
        (candles.volume, step),
        (candles.quote, tick * step // E8),
    )
    numbers = zip(*((column * unit).tolist() for column, unit in columns), strict=True)
    rows = zip(candles.opened_at.tolist(), candles.trades.tolist(), numbers, strict=True)
    for opened, trades, values in rows:
        printed = " ".join(f"{one // E8}.{one % E8:08d}" for one in values)
        yield opened, f"{name} {opened} {printed} {trades}"


def ms(moment: datetime) -> int:
    """As the venues count time."""
    return (moment - EPOCH) // MS
