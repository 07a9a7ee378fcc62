"""How Binance spot reads a query string, and the words in which it refuses one.

Docs: https://developers.binance.com/docs/binance-spot-api-docs/errors
"""

import json
import re
from collections.abc import Mapping, Sequence

from crypto_pipeline.sandbox.grids import GRIDS, Grid
from crypto_pipeline.sandbox.market import Ask

DEFAULT_LIMIT = 500
FIRST_MICROSECONDS = 10**14  # times may come in microseconds as well
LAST_TIME = 2**63 - 1
SYMBOL = r"[A-Z0-9_.\-]{1,50}"

_NUMBER = (r"[0-9]{1,20}", "^[0-9]{1,20}$")
LEGAL = {
    "symbol": (SYMBOL, r"^[\w\-._&&[^a-z]]{1,50}$"),
    "symbols": (
        rf'\[("{SYMBOL}"(,"{SYMBOL}")*)?\]',
        r'^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$',
    ),
    **dict.fromkeys(("limit", "startTime", "endTime"), _NUMBER),
}
"""Per parameter: what is legal, and how Binance prints that."""


class QueryError(Exception):
    """Binance refuses the request with 400 and this code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def read(
    items: Sequence[tuple[str, str]], mandatory: tuple[str, ...], optional: tuple[str, ...]
) -> Mapping[str, str]:
    """The parameters by name, each present, alone, known and legal, or QueryError."""
    given = dict(items)
    known = mandatory + optional
    _check_names([name for name, _ in items], mandatory, known)
    for name in known:
        if name in given:
            _check_value(name, given[name])
    understood = sum(name in known for name in given)
    if understood < len(given):
        raise QueryError(
            -1104,
            f"Not all sent parameters were read; read '{understood}' parameter(s) "
            f"but was sent '{len(given)}'.",
        )
    return given


def _check_names(names: Sequence[str], mandatory: tuple[str, ...], known: tuple[str, ...]) -> None:
    if len(set(names)) < len(names):
        raise QueryError(-1101, "Duplicate values for a parameter detected.")
    for name in mandatory:
        if name not in names:
            raise QueryError(
                -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
            )
    if len(names) > len(known):
        raise QueryError(
            -1101, f"Too many parameters; expected '{len(known)}' and received '{len(names)}'."
        )


def _check_value(name: str, value: str) -> None:
    if not value:
        raise QueryError(-1105, f"Parameter '{name}' was empty.")
    legal, printed = LEGAL.get(name, (".*", ""))
    if not re.fullmatch(legal, value):
        raise QueryError(
            -1100, f"Illegal characters found in parameter '{name}'; legal range is '{printed}'."
        )


def interval(given: Mapping[str, str]) -> Grid:
    """The grid of the interval that was asked for, or QueryError."""
    if given["interval"] not in GRIDS:
        raise QueryError(-1120, "Invalid interval.")
    return GRIDS[given["interval"]]


def ask(given: Mapping[str, str], most: int) -> Ask:
    """The page that was asked for; more rows than ``most`` are a full page, not an error."""
    limit = min(_number(given, "limit") or 0, most) if "limit" in given else DEFAULT_LIMIT
    if not limit:
        raise QueryError(-1130, "Data sent for parameter 'limit' is not valid.")
    start, end = _number(given, "startTime"), _number(given, "endTime")
    if start is not None and start >= FIRST_MICROSECONDS:
        start = -(-start // 1000)
    if end is not None and end >= FIRST_MICROSECONDS:
        end //= 1000
    return Ask(start, end, limit)


def _number(given: Mapping[str, str], name: str) -> int | None:
    if name not in given:
        return None
    number = int(given[name])
    if number > LAST_TIME:
        raise QueryError(-1108, f"Parameter '{name}' overflowed.")
    return number


def symbols(given: Mapping[str, str]) -> list[str] | None:
    """The symbols that ``exchangeInfo`` is asked for, or None for all."""
    if "symbol" in given and "symbols" in given:
        raise QueryError(-1128, "Combination of optional parameters invalid.")
    if "symbols" in given:
        return list(json.loads(given["symbols"]))
    return [given["symbol"]] if "symbol" in given else None
