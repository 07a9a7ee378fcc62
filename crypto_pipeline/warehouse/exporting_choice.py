"""Which series an export is of, by the names that people use; reading them is in ``exporting``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.datasets import (
    FIVE_MINUTES,
    GAS_PRICES,
    MARKET_PRICES,
    NEWS,
    OHLC,
    Dataset,
)
from crypto_pipeline.warehouse.exporting import Extract, Snapshot
from crypto_pipeline.warehouse.statements import statements


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody asks for; nothing named is everything."""

    names: Sequence[str] = ()
    """Of candles instruments, of prices and news assets, else series or the first part of them."""
    venue: str | None = None
    interval: str | None = None


class _Known(NamedTuple):
    """A series as the warehouse has it."""

    series_id: int
    name: str
    venue: str
    instrument: str
    interval: str
    step: timedelta
    is_active: bool


def extracts(taken: Snapshot, dataset: Dataset, choice: Choice) -> list[Extract]:
    """What is to be read, in the order of names; a UsageError says what there is instead."""
    if dataset != OHLC and (choice.venue or choice.interval):
        msg = f"--venue and --interval are for {OHLC.name}, and {dataset.name} has neither"
        raise UsageError(msg)
    rows = taken.connection.execute(statements("exporting")["series"], {"dataset": dataset.name})
    known = [_Known(*row) for row in rows]  # type: ignore[arg-type]
    if dataset == OHLC:
        return _candles(taken, known, choice)
    if dataset == NEWS:
        ids = [_asset(taken, name) for name in choice.names] or None
        of_feeds = tuple(one.series_id for one in known if one.is_active)
        return [Extract(dataset, NEWS.name, {"asset_ids": ids}, of_feeds, FIVE_MINUTES.step)]
    if dataset == MARKET_PRICES:
        choice = Choice([_asset(taken, name) for name in choice.names])
    return [
        Extract(dataset, dataset.name, {"name": one.name}, (one.series_id,), one.step)
        for one in _named(dataset, known, choice.names)
    ]


def _named(dataset: Dataset, known: Sequence[_Known], names: Sequence[str]) -> Iterator[_Known]:
    """The series of these names; ``ethereum`` is every series of that chain."""
    called: dict[str, list[_Known]] = {}
    for one in known:
        aliases = {one.name}
        if dataset == GAS_PRICES:
            aliases.add(one.name.partition("/")[0])
        for alias in aliases:
            called.setdefault(alias, []).append(one)
    _require_known(names, called, dataset)
    chosen = {one.series_id for name in names for one in called[name]}
    return (one for one in known if not names or one.series_id in chosen)


def _candles(taken: Snapshot, known: Sequence[_Known], choice: Choice) -> list[Extract]:
    """Those of the base interval as they are, others made of it; all of one kind."""
    if choice.interval:
        taken.connection.execute(statements("exporting")["length"], {"interval": choice.interval})
    if choice.venue:
        _require_known([choice.venue], {one.venue for one in known}, OHLC)
    at_venue = [one for one in known if choice.venue in (None, one.venue)]
    instruments: dict[str, list[_Known]] = {}
    for one in at_venue:
        instruments.setdefault(one.instrument, []).append(one)
    names = [name.upper() for name in choice.names]
    _require_known(names, instruments, OHLC)
    markets: dict[tuple[str, str], list[_Known]] = {}
    for one in at_venue:
        if not names or one.instrument in names:
            markets.setdefault((one.venue, one.instrument), []).append(one)
    # What is collected no more is told only where nothing else is.
    found = [[one for one in some if one.is_active] or some for some in markets.values()]
    if choice.interval is None:
        return [_stored(one) for some in found for one in some]
    exact = [[one for one in some if one.interval == choice.interval] for some in found]
    if all(exact):
        return [_stored(one) for some in exact for one in some]
    return [_made(some, choice.interval) for some in markets.values()]


def _stored(one: _Known) -> Extract:
    return Extract(OHLC, OHLC.name, _market(one, one.interval), (one.series_id,), one.step)


def _made(some: Sequence[_Known], interval: str) -> Extract:
    """Of the finest that is collected; where that does not divide it, the database knows what does."""
    finest = min(some, key=lambda one: (not one.is_active, one.step))
    ids = tuple(one.series_id for one in some)
    return Extract(OHLC, "candles", _market(finest, interval), ids, finest.step)


def _market(one: _Known, interval: str) -> Mapping[str, object]:
    return {"venue": one.venue, "instrument": one.instrument, "interval": interval}


def _asset(taken: Snapshot, name: str) -> str:
    """The id of an asset by its id, symbol or name."""
    row = taken.connection.execute(statements("exporting")["asset"], {"named": name}).fetchone()
    if row is None or row[0] is None:
        msg = f"there is no asset {name!r}: market.assets lists them"
        raise UsageError(msg)
    return str(row[0])


def _require_known(
    names: Sequence[str], known: Mapping[str, object] | set[str], dataset: Dataset
) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        there = ", ".join(sorted(known)) or "nothing yet"
        msg = f"{dataset.name} has no {', '.join(unknown)}: there is {there}"
        raise UsageError(msg)
