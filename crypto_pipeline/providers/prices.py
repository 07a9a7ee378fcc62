"""What the providers of prices share: names, errors told in JSON, and rows by name.

How any one of them is asked and read is its own file's.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crypto_pipeline.errors import ProviderError, RequestRejected, UsageError
from crypto_pipeline.frames.observations import Observation
from crypto_pipeline.market.assets import asset
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.replies import by_body, http_fault, reading

Name = Callable[[str], str | None]


def known_as(column: str) -> Name:
    """The name of an asset at a provider that the registry has a column for."""

    def name(asset_id: str) -> str | None:
        try:
            found: str | None = getattr(asset(asset_id), column)
        except UsageError:
            return None
        return found

    return name


def by_symbol(spelling: Callable[[str], str] = str) -> Name:
    """The symbol of an asset, as it is spelt; None where a larger asset has the same."""

    def name(asset_id: str) -> str | None:
        try:
            symbol = asset(asset_id).symbol
            is_the_largest = asset(symbol) == asset(asset_id)
        except UsageError:
            return None
        return spelling(symbol) if is_the_largest else None

    return name


def fault_told_in(*keys: str) -> Callable[[Reply], ProviderError | None]:
    """A ``fault`` for hosts whose errors are objects with the reason under any of the ``keys``."""

    @by_body
    def fault(reply: Reply, body: object) -> ProviderError | None:
        told = [body[key] for key in keys if body.get(key)] if isinstance(body, dict) else []
        said = " ".join(str(one) for one in told)
        return http_fault(reply, said) or (RequestRejected(said) if told else None)

    return fault


def table(value: object) -> dict[str, Any]:
    """A JSON object; anything else is a TypeError."""
    if not isinstance(value, dict):
        raise TypeError
    return value


def rows_by_name(
    pairs: Callable[[Any], Iterable[tuple[str, Observation]]],
) -> Callable[[Reply], Mapping[str, Observation]]:
    """The ``rows`` of a snapshot; where two have one name, a symbol, the first is the larger coin."""

    def read(body: Any) -> dict[str, Observation]:
        found: dict[str, Observation] = {}
        for name, row in pairs(body):
            found.setdefault(name, row)
        return found

    return lambda reply: reading(read, reply)
