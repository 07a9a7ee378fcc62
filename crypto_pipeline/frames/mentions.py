"""Which assets a text speaks of, by name and ticker as whole words; which assets there are is told."""

import re
from collections.abc import Iterable, Iterator
from types import MappingProxyType

_SPOKEN = """
BTC ETH XRP SOL BNB ADA DOGE LTC TRX BCH XLM XMR ETC ZEC USDT USDC HBAR AVAX SHIB AAVE ALGO
"""
SPOKEN = frozenset(_SPOKEN.split())
"""Short tickers that headlines use as words; every other of up to four letters needs a mark."""
_ORDINARY = """
canton compound cosmos curve dash flare flow gala gas gate harmony helium immutable iota leo mantle
near neo one optimism origin pi pol quant render sand sonic stacks stellar story the-graph the-sandbox
theta token trump virtual waves world
"""
ORDINARY = frozenset(_ORDINARY.split())
"""Names and long tickers that are words of their own: they count only where they are marked."""
ALSO = MappingProxyType({"ether": "ETH"})
"""What some call an asset by, and the ticker it goes by."""
_SHORT = 4


class Mentions:
    """Finds assets in texts; assets are given as (id, symbol, name), of two alike the first counts."""

    def __init__(self, assets: Iterable[tuple[str, str, str]]) -> None:
        self._names: dict[str, str] = {}
        self._symbols: dict[str, str] = {}
        for asset_id, symbol, name in assets:
            self._symbols.setdefault(symbol.upper(), asset_id)
            if not _is_ordinary(name) and len(name) >= _SHORT - 1:
                self._names.setdefault(name.lower(), asset_id)
        known = {name: symbol for name, symbol in ALSO.items() if symbol in self._symbols}
        self._names |= {name: self._symbols[symbol] for name, symbol in known.items()}
        bare = [one for one in self._symbols if one in SPOKEN or _is_telling(one)]
        self._words = re.compile(
            rf"(?<![\w$])(?:(?i:(?P<name>{_any(self._names)}))|(?P<bare>{_any(bare)}))(?!\w)"
            rf"|\$(?P<marked>{_any(self._symbols)})(?!\w)"
            rf"|\((?P<quoted>{_any(self._symbols)})\)"
        )

    def of(self, text: str, tickers: Iterable[str] = ()) -> tuple[str, ...]:
        """The ids of the assets that a text names, or whose tickers its source gives, sorted."""
        given = (self._symbols.get(one.upper()) for one in tickers)
        return tuple(sorted({*self._found(text), *filter(None, given)}))

    def _found(self, text: str) -> Iterator[str]:
        for match in self._words.finditer(text):
            name = match["name"]
            if name is not None:
                # A name of four letters or less is a word, unless it is written as a name.
                if len(name) > _SHORT or name[:1].isupper():
                    yield self._names[name.lower()]
            else:
                yield self._symbols[match["bare"] or match["marked"] or match["quoted"]]


def _is_ordinary(name: str) -> bool:
    return name.lower().replace(" ", "-") in ORDINARY


def _is_telling(symbol: str) -> bool:
    return len(symbol) > _SHORT and not _is_ordinary(symbol)


def _any(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first; for none where there are none."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or r"(?!)"
