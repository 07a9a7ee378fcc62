"""``crypto-pipeline gaps explain`` and ``reopen``: what a person says about slots without a row."""

from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated, Self, get_args

import typer

from crypto_pipeline.bootstrap import open_database
from crypto_pipeline.cli.arguments import window_between
from crypto_pipeline.cli.gaps_listing import count
from crypto_pipeline.cli.output import minute_of
from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.datasets import DATASETS, Dataset
from crypto_pipeline.market.holes import Reason, Vain
from crypto_pipeline.market.windows import Window
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse import holes
from crypto_pipeline.warehouse.calendar import Listing, listings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.gaps import Explanation, explanations
from crypto_pipeline.warehouse.revisions import require_migrated

NEAREST = 3
"""Series that are named when somebody names one that is not there, at most."""

WHY = f"Why there can be no row: {', '.join(get_args(Reason))}."
SeriesName = Annotated[str, typer.Argument(help="Like binance/BTC-USDT/1m.")]
From = Annotated[
    str, typer.Option(metavar="D", help="From this UTC day (YYYY-MM-DD) or instant (ISO 8601) on.")
]
UpTo = Annotated[
    str, typer.Option(metavar="D", help="Up to and with this UTC day, or up to this instant.")
]


def explain(
    series: SeriesName,
    start: From,
    end: UpTo,
    reason: Annotated[Reason, typer.Option(metavar="R", help=WHY)],
    note: Annotated[str, typer.Option(help="How you know, for those who read it later.")],
) -> None:
    """Say why slots can never be filled.

    Every due slot of the window without a row counts as explained then. It is asked for again now
    and then, and what comes after all is stored and ends the explanation.
    """
    place, now = _Place.named(series, start, end), datetime.now(UTC)
    window = place.known_part(now)
    told = Vain(
        "Told",
        "a person said so",
        reason=reason,
        evidence={"told_by": "a person"},
        note=note,
        is_certain=True,
    )
    holes.explain(place.database, place.dataset, series, window, told, now)
    found = place.explained(window, reason)
    if not found:
        msg = f"nothing to explain: no slot that is expected and due {place} lacks its row"
        raise UsageError(msg + place.calendar(window))
    slots, runs = sum(one.slots for one in found), len(found)
    again = min(one.recheck_at for one in found if one.recheck_at)
    typer.echo(
        f"explained {count(slots, 'slot')} in {count(runs, 'run')} of {series} as {reason}; "
        f"asked again {minute_of(again)}"
    )


def reopen(
    series: SeriesName,
    start: From,
    end: UpTo,
    note: Annotated[str, typer.Option(help="Why, for those who read the history.")] = "",
) -> None:
    """Withdraw explanations, and have what waits asked for at once.

    What the venue's listing explains, before the first candle and after the last, stays explained.
    """
    place, now = _Place.named(series, start, end), datetime.now(UTC)
    window = place.known_part(now)
    reopened = holes.reopen(place.database, place.dataset, series, window, note, now)
    if not reopened:
        msg = f"nothing to reopen: no slot {place} is explained or was asked for in vain"
        raise UsageError(msg + place.calendar(window))
    are = "it is" if reopened == 1 else "they are"
    typer.echo(
        f"reopened {count(reopened, 'hole')} of {series}; {are} asked for again at the next tick"
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """The slots of one series that somebody speaks of."""

    database: Database
    dataset: Dataset
    listing: Listing
    window: Window

    @classmethod
    def named(cls, name: str, start: str, end: str) -> Self:
        """The place of a series' name and two times; a UsageError names the series nearest to a wrong one."""
        now = datetime.now(UTC)
        window = window_between(start, end, Window.of_day(now.date()))
        database = require_migrated(open_database(load_settings()))
        known = {
            listing.series: (dataset, listing)
            for dataset in DATASETS.values()
            for listing in listings(database, dataset)
        }
        if name not in known:
            nearest = " or ".join(get_close_matches(name, known, NEAREST, cutoff=0))
            expected = f"did you mean {nearest}?" if nearest else "nothing has been collected yet"
            msg = (
                f"no series {name!r} is collected: {expected} ('crypto-pipeline status' lists them)"
            )
            raise UsageError(msg)
        return cls(database, *known[name], window)

    def __str__(self) -> str:
        start, end = minute_of(self.window.start), minute_of(self.window.end)
        return f"of {self.listing.series} between {start} and {end}"

    def known_part(self, now: datetime) -> Window:
        """What of the window may have due slots; a UsageError when that is nothing."""
        since = self.listing.since
        if self.window.end <= since:
            msg = f"{self.listing.series} is kept from {minute_of(since)} on: nothing before is expected"
            raise UsageError(msg)
        if self.window.start >= now:
            msg = f"{minute_of(self.window.start)} lies in the future: no slot there is due yet"
            raise UsageError(msg)
        return Window(max(self.window.start, since), min(self.window.end, now))

    def explained(self, window: Window, reason: Reason) -> list[Explanation]:
        """What is explained so, other than by the venue's listing."""
        found = explanations(self.database, window, self.dataset)
        mine = [one for one in found if one.series == self.listing.series and one.recheck_at]
        return [one for one in mine if one.reason == reason]

    def calendar(self, window: Window) -> str:
        """What the venue's listing says of the window, to be added to a sentence; or nothing."""
        listed_at, delisted_at = self.listing.listed_at, self.listing.delisted_at
        told = []
        if listed_at and window.start < listed_at:
            told.append(f"before {minute_of(listed_at)} (not_listed_yet)")
        if delisted_at and delisted_at < window.end:
            told.append(f"from {minute_of(delisted_at)} on (delisted)")
        said = " and ".join(told)
        return (
            f"; {said} the venue's listing decides, and 'instruments' is read daily" if said else ""
        )
