"""Recorded replies and the endpoints we ship: which belongs to which, and what each must become.

The values are read here a second time, by nothing but a pattern for numbers, so that a parser that
mistakes one field for another of the same row is left to its own tests, and one that makes up, rounds
or loses a value is not.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crypto_pipeline.cli.providers_parsing import reply_of
from crypto_pipeline.errors import ProviderError, UsageError
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.catalogue import offers
from crypto_pipeline.providers.declaration import Provider, Reply
from crypto_pipeline.providers.parsing import Row, parsed
from crypto_pipeline.providers.replies import read_reply

PROVING = frozenset({"verbatim-recording", "re-serialised-recording", "rows-from-real-responses"})
"""Kinds of recordings that a host really sent."""
ALIASES = {
    "api.bitfinex.com": "api-pub.bitfinex.com",
    "api.pro.coinbase.com": "api.exchange.coinbase.com",
}
"""Hosts that spoke, when they were recorded, the protocol of one that we ask."""
CALLS = ("module", "action")
"""Parameters that say what is asked, where one path answers everything."""
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?")
_ITEM = re.compile(rb"<(?:item|entry)[ >]")
_SYMBOL = re.compile(
    r"(?i)^(trade:.*|[a-z]+:[-\w]+|t?[a-z0-9_:]*(btc|xbt|bitcoin|ust|usd)[-_a-z0-9:]*|\d{8,10})$"
)
"""A part of a path that names what is asked for, or when."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One recording, and what was made of it; without a provider nobody parses it, and ``why`` says so."""

    file: str
    provider: str = ""
    dataset: str = ""
    rows: Sequence[Row] = ()
    error: ProviderError | None = None
    is_error: bool = False
    why: str = ""
    numbers: frozenset[Decimal] = field(default=frozenset(), repr=False)
    """All that are printed in the recording."""
    entries: Sequence[frozenset[Decimal]] = field(default=(), repr=False)
    """The same of each entry of its longest list."""

    @property
    def became(self) -> str:
        """What it is, in a few words."""
        if not self.provider:
            return self.why
        return (
            f"{type(self.error).__name__}: {self.error}" if self.error else f"{len(self.rows)} rows"
        )

    @property
    def is_as_it_should_be(self) -> bool:
        """Whether it became what it is: rows, an error, or nothing because nobody parses it."""
        return not self.provider or self.is_error == (self.error is not None)

    @property
    def strange(self) -> set[Decimal]:
        """Numbers in the rows that the recording does not hold."""
        return {number for row in self.rows for number in _numbers(row)} - self.numbers


def claims(corpus: Path) -> Iterator[Claim]:
    """Every recording that proves something, in the order of the list."""
    with (corpus / "PROVENANCE.tsv").open(encoding="utf-8", newline="") as lines:
        for entry in csv.DictReader(lines, delimiter="\t"):
            if entry["kind"] in PROVING:
                yield _claim(corpus, entry)


def _claim(corpus: Path, entry: Mapping[str, str]) -> Claim:
    name, (method, host, path, query) = entry["file"], _endpoint(entry["endpoint"])
    if not host:
        return Claim(name, why="no reply of one endpoint")
    if "pages joined" in entry["endpoint"] or name.endswith((".csv", ".gz", ".feather")):
        return Claim(name, why="rows of many replies, or a file: no reply of an endpoint")
    known = [one for one in PROVIDERS.values() if host in _hosts(one)]
    if not known:
        return Claim(name, why=f"{host} is no provider of ours")
    reply = _reply(corpus / name, entry)
    if "errors/" in name:
        return _failure(name, known[0], reply)
    for provider in known:
        for offer in offers(provider):
            base = urlsplit(provider.base_url).path
            offered = "POST" if offer.question.body is not None else "GET"
            is_asked = all(query.get(one) == offer.question.params.get(one) for one in CALLS)
            if method == offered and is_asked and _is_alike(base + offer.question.path, path):
                return _success(name, provider, offer.dataset, reply)
    asked = " ".join([path, *(query[one] for one in CALLS if one in query)])
    return Claim(name, why=f"{asked} of {known[0].name} is no endpoint of ours")


def _failure(name: str, provider: Provider, reply: Reply) -> Claim:
    """A recorded error means an error whatever was asked, for a host words all alike."""
    try:
        read_reply(provider, reply, lambda _: None)
    except ProviderError as error:
        return Claim(name, provider.name, error=error, is_error=True)
    return Claim(name, provider.name, is_error=True)


def _success(name: str, provider: Provider, dataset: str, reply: Reply) -> Claim:
    is_feed = reply.body.lstrip().startswith(b"<")
    entries = (
        _ITEM.findall(reply.body) if is_feed else _entries(json.loads(reply.body, parse_float=str))
    )
    recorded = [_numbers_in(one if is_feed else json.dumps(one).encode()) for one in entries]
    try:
        rows = parsed(provider, dataset, reply)
    except UsageError as error:
        return Claim(name, why=str(error))
    except ProviderError as error:
        return Claim(name, provider.name, dataset, error=error)
    numbers = _numbers_in(reply.body)
    return Claim(name, provider.name, dataset, rows, numbers=numbers, entries=recorded)


def _reply(file: Path, entry: Mapping[str, str]) -> Reply:
    return reply_of(file, int(entry["http_status"]) if entry["http_status"] else None)


def _endpoint(told: str) -> tuple[str, str, str, dict[str, str]]:
    """Method, host, path and query; none of a host where it is no address."""
    method, _, address = told.partition(" ")
    parts = urlsplit(address)
    host = parts.netloc
    query = {key: texts[0] for key, texts in parse_qs(parts.query).items()}
    return method.upper(), ALIASES.get(host, host), parts.path, query


def _hosts(provider: Provider) -> set[str]:
    return {urlsplit(url).netloc for url in provider.hosts}


def _is_alike(offered: str, recorded: str) -> bool:
    """Whether both are one endpoint: parts that name a symbol, a coin or a day may differ."""
    ours, theirs = offered.strip("/").split("/"), recorded.strip("/").split("/")
    return len(ours) == len(theirs) and all(
        one == other or (_SYMBOL.match(one) and _SYMBOL.match(other))
        for one, other in zip(ours, theirs, strict=True)
    )


def _numbers(row: Row) -> Iterator[Decimal]:
    return (value for value in row.values() if isinstance(value, Decimal))


def _entries(body: Any, depth: int = 4) -> list[Any]:
    """The longest list of a body, of rows that is, not of plain values; a table by names is one too."""
    if not depth or not isinstance(body, dict | list):
        return []
    inside = list(body.values()) if isinstance(body, dict) else body
    own = inside if all(isinstance(one, list | dict) for one in inside) else []
    return max([own, *(_entries(one, depth - 1) for one in inside)], key=len)


def _numbers_in(text: bytes) -> frozenset[Decimal]:
    return frozenset(Decimal(one.decode()) for one in _NUMBER.findall(text))
