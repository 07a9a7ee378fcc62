"""The assets whose prices are kept: how we name each, and how providers with a mind of their own do.

The names are CoinGecko's; a provider without a name for an asset here is not asked for it.
"""

import csv
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from types import MappingProxyType

from crypto_pipeline.errors import UsageError

_NEARBY = 3


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset; the last three are the names it has at those providers, None where none is known."""

    asset_id: str
    symbol: str
    name: str
    coincap: str | None = None
    coinmarketcap: str | None = None
    coinpaprika: str | None = None

    def __str__(self) -> str:
        """Its id."""
        return self.asset_id


def _read() -> tuple[Asset, ...]:
    lines = (files(__package__) / "assets.csv").read_text(encoding="utf-8").splitlines()
    return tuple(
        Asset(**{column: text or None for column, text in row.items()})  # type: ignore[arg-type]
        for row in csv.DictReader(lines)
    )


ASSETS = _read()
"""Every asset that we know, the largest first."""

_BY_ID = {one.asset_id: one for one in ASSETS}
# The larger of two assets with one symbol is read last, and so it owns it.
_BY_SYMBOL = {one.symbol.lower(): one for one in reversed(ASSETS)}
_BY_NAME = MappingProxyType(_BY_SYMBOL | _BY_ID)


def asset(text: str) -> Asset:
    """The asset of that id or symbol, in any case; an unknown one is a UsageError that says what is near."""
    found = _BY_NAME.get(text.strip().lower())
    if found is None:
        near = get_close_matches(text.strip().lower(), _BY_NAME, _NEARBY)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        msg = (
            f"{text!r} is no asset we know: {hint}"
            "market_prices.assets takes ids or symbols, like bitcoin or BTC"
        )
        raise UsageError(msg)
    return found
