"""Reads a venue's list of pairs, whatever the names of its fields."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline.providers.reading import text


def pairs(
    rows: Any,
    names: Sequence[str],
    symbol: Callable[[Instrument], str],
    trades: Callable[[Any], bool],
) -> list[Listed]:
    """Each pair, halted ones too; ``names`` are the fields of its spelling, base and quote.

    Passed over are pairs whose assets have no name here, and those the venue spells unlike them:
    nobody could ask for them. A list without any is a ValueError.
    """
    return all_listed(rows, lambda row: _listed(row, names, symbol, trades))


def all_listed(rows: Iterable[Any], listed: Callable[[Any], Listed | None]) -> list[Listed]:
    """Each row that ``listed`` does not pass over; a list without any is a ValueError."""
    found = [one for row in rows if (one := listed(row))]
    if not found:
        raise ValueError
    return found


def instrument_of(base: str, quote: str) -> Instrument | None:
    """The pair of two assets; None where one has no name here, like the few in Chinese characters."""
    try:
        return Instrument.parse(f"{base}-{quote}")
    except UsageError:
        return None


def _listed(
    row: Any,
    names: Sequence[str],
    symbol: Callable[[Instrument], str],
    trades: Callable[[Any], bool],
) -> Listed | None:
    spelling, base, quote = (text(row[name]) for name in names)
    instrument = instrument_of(base, quote)
    if instrument is None or spelling != symbol(instrument):
        return None
    return Listed(instrument, spelling, "trading" if trades(row) else "halted")
