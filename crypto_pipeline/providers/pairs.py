"""Reads a venue's list of pairs: whatever the names of its fields."""

from collections.abc import Callable, Sequence
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
    listed = [one for row in rows if (one := _listed(row, names, symbol, trades))]
    if not listed:
        raise ValueError
    return listed


def _listed(
    row: Any,
    names: Sequence[str],
    symbol: Callable[[Instrument], str],
    trades: Callable[[Any], bool],
) -> Listed | None:
    spelling, base, quote = (text(row[name]) for name in names)
    try:
        instrument = Instrument.parse(f"{base}-{quote}")
    except UsageError:
        return None
    if spelling != symbol(instrument):
        return None
    return Listed(instrument, spelling, "trading" if trades(row) else "halted")
