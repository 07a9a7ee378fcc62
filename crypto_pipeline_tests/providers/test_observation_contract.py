"""The contract of everybody in PROVIDERS who tells values of now or of the past, over HTTP, at the sandbox.

A new provider is subscribed by existing; what is its own is tested in its own file.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import TypeVar

import orjson
import pytest

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.frames.observations import Observation
from crypto_pipeline.market.datasets import DATASETS
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.client import Ask, Client
from crypto_pipeline.providers.declaration import Provider, Question, Reply
from crypto_pipeline.sandbox.app import venues
from crypto_pipeline.sandbox.faults import FaultBook
from crypto_pipeline.sandbox.refusals import Words
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.providers.asking import Asking, Browser

T = TypeVar("T")

SECRET = "made-up-key-4711"
CHAINS = ("ethereum", "bitcoin", "base", "arbitrum", "optimism", "polygon", "bsc", "avalanche")
CANDIDATES = {
    "market_prices": ("bitcoin", "ethereum", "solana"),
    "sentiment": ("fear_greed", "cmc_fear_greed", "bitcoin_pageviews"),
    "gas_prices": tuple("/".join(pair) for pair in product(CHAINS, ("fees", "tiers"))),
}
"""Series of which everybody serves some; the sandbox knows them all."""
LATE = {"sentiment": 2, "gas_prices": 1}
"""Slots before the present one that are not published yet."""
MANY = 400
"""Slots, more than any synthetic history lacks."""
SNAPSHOTS = [(name, dataset) for name, one in PROVIDERS.items() for dataset in one.snapshots]
HISTORIES = [(name, dataset) for name, one in PROVIDERS.items() for dataset in one.histories]
LOCKED = [(name, what) for name, what in SNAPSHOTS if PROVIDERS[name].key is not None]
BOOK = FaultBook(0)
WORDS: dict[str, Words] = {
    venue.name: venue.words
    for venue in venues(SandboxSettings(), BOOK)
    if hasattr(venue, "words") and venue.name in {name for name, _ in SNAPSHOTS + HISTORIES}
}
JSON = {"content-type": "application/json"}
ODD_BODIES = (
    *(b"", b"[", b"null", b"7", b'"x"', b"[7]", b"[[]]", b'[["a"]]', b"[[null,null]]", b"{}"),
    *(b'{"data":7}', b'{"data":[7]}', b'{"coins":[]}', b'{"bitcoin":7}', b'{"result":null}'),
)
every_snapshot = pytest.mark.parametrize(("name", "dataset"), SNAPSHOTS)
every_history = pytest.mark.parametrize(("name", "dataset"), HISTORIES)
every_fault = pytest.mark.parametrize("fault", ["500", "html", "garbage", "cut_body", "reset"])
odd_bodies = pytest.mark.parametrize("body", ODD_BODIES, ids=str)


def at(sandbox: Sandbox, name: str, secret: str | None = SECRET) -> Provider:
    """A provider of PROVIDERS at the sandbox, with a key if it takes one."""
    one = PROVIDERS[name]
    return replace(
        *(one,), base_url=sandbox.base_url(name), mirrors=(), secret=secret if one.key else None
    )


def served(dataset: str, name: Callable[[str], str | None]) -> list[str]:
    """What a provider calls those of the candidates that it serves."""
    return [found for one in CANDIDATES[dataset] if (found := name(one)) is not None]


def present(asking: Asking, dataset: str, *names: str) -> Mapping[str, Observation]:
    """The present values, by the provider's names; all it serves unless told otherwise."""
    snapshot = asking.provider.snapshots[dataset]
    wanted = (names or served(dataset, snapshot.name))[: snapshot.most]
    return asking.ask(Ask(snapshot.question(wanted), None, None, snapshot.rows))[0]


def past(asking: Asking, dataset: str, window: Window) -> Sequence[Observation]:
    """The values of a window, as the first of the series that the provider serves has them."""
    history = asking.provider.histories[dataset]
    name = served(dataset, history.name)[0]

    async def work(client: Client) -> Sequence[Observation]:
        async def ask(question: Question, read: Callable[[Reply], T]) -> T:
            return await client.ask(Ask(question, None, None, read))

        return await history.rows(ask, name, window, interval_of(dataset).step)

    return asking.run(work)


def interval_of(dataset: str) -> Interval:
    """The grid of a dataset."""
    interval = DATASETS[dataset].interval
    assert interval is not None
    return interval


def window_of(dataset: str, slots: int, before: int = 0) -> Window:
    """So many slots that are published, so many before the newest."""
    interval = interval_of(dataset)
    end = interval.floor(datetime.now(UTC)) - (LATE.get(dataset, 0) + before) * interval.step
    return Window(end - slots * interval.step, end)


def inside(rows: Sequence[Observation], window: Window) -> list[Observation]:
    """The rows whose own time lies in the window, in order."""
    timed = [
        (row.observed_at, row) for row in rows if row.observed_at and row.observed_at in window
    ]
    return [row for _, row in sorted(timed, key=lambda pair: pair[0])]


def told(name: str, reply: Reply, read: Callable[[Reply], T]) -> T:
    """What the client makes of a reply: the provider's fault, or what is read."""
    fault = PROVIDERS[name].fault(reply)
    if fault is not None:
        raise fault
    return read(reply)


def opened(dataset: str, rows: Sequence[Observation]) -> list[datetime]:
    """The slots that rows with a time of their own lie in."""
    return [interval_of(dataset).floor(one.observed_at) for one in rows if one.observed_at]


@every_snapshot
def test_present_values_are_given_and_can_be_kept(
    sandbox: Sandbox, browser: Browser, name: str, dataset: str
) -> None:
    """Whoever is asked for the present values of what it serves gives one valid row of each."""
    snapshot = PROVIDERS[name].snapshots[dataset]
    rows = present(Asking(at(sandbox, name), browser), dataset)
    asked = served(dataset, snapshot.name)[: snapshot.most]

    assert asked
    assert {*asked} <= rows.keys()
    assert [None] * len(asked) == [rows[one].broken_promise() for one in asked]


@every_snapshot
def test_unknown_series_has_no_value(
    sandbox: Sandbox, browser: Browser, name: str, dataset: str
) -> None:
    """What nobody knows is not served, or has no row, or is refused, and then only once."""
    snapshot = PROVIDERS[name].snapshots[dataset]
    unknown = snapshot.name("no-such-series")
    if unknown is not None:
        with suppress(RequestRejected):
            assert unknown not in present(Asking(at(sandbox, name), browser), dataset, unknown)
    assert len(sandbox.requests()) == (0 if unknown is None else 1)


@every_snapshot
def test_names_are_each_their_own(name: str, dataset: str) -> None:
    """Two series never share a name at a provider."""
    names = served(dataset, PROVIDERS[name].snapshots[dataset].name)

    assert len({*names}) == len(names)


@every_snapshot
def test_rate_limit_is_waited_out(
    sandbox: Sandbox, browser: Browser, name: str, dataset: str
) -> None:
    """A rate limit costs the wait it asks for and nothing else."""
    asking = Asking(at(sandbox, name), browser)
    sandbox.order("429:times=1,retry_after=3")

    assert present(asking, dataset)
    assert [3.0] == asking.pacing.slept


@every_snapshot
@pytest.mark.parametrize("fault", ["451", "403_html", "418:retry_after=300"])
def test_refusal_is_not_repeated(
    sandbox: Sandbox, browser: Browser, name: str, dataset: str, fault: str
) -> None:
    """A host that refuses an address is asked once."""
    asking = Asking(at(sandbox, name), browser)
    sandbox.order(fault)

    with pytest.raises((HostRefused, RequestRejected)):
        present(asking, dataset)
    assert len(sandbox.requests()) == 1


@every_snapshot
@every_fault
def test_failure_that_may_pass_is_ours_and_transient(
    sandbox: Sandbox, browser: Browser, name: str, dataset: str, fault: str
) -> None:
    """Whatever breaks below the protocol is told as an error of ours after several tries."""
    asking = Asking(at(sandbox, name), browser)
    sandbox.order(fault)

    with pytest.raises(TransientError):
        present(asking, dataset)
    assert len(sandbox.requests()) > 1


@every_snapshot
@odd_bodies
def test_odd_body_has_no_value(name: str, dataset: str, body: bytes) -> None:
    """JSON of another shape is an error of ours or no value at all, and never anything else."""
    rows: Mapping[str, Observation] = {}
    with suppress(MalformedReply, RequestRejected):
        rows = told(name, Reply(200, JSON, body), PROVIDERS[name].snapshots[dataset].rows)

    assert {} == rows


@pytest.mark.parametrize(("name", "dataset"), [pair for pair in SNAPSHOTS if pair[0] in WORDS])
@pytest.mark.parametrize("said", ["unknown_symbol", "bad_request", "too_many"])
def test_error_under_a_200_is_an_error(name: str, dataset: str, said: str) -> None:
    """What a provider says when it refuses is never read as an answer, whatever the status."""
    reply = Reply(200, JSON, orjson.dumps(getattr(WORDS[name], said).body))

    with pytest.raises(ProviderError):
        told(name, reply, PROVIDERS[name].snapshots[dataset].rows)


@pytest.mark.parametrize(("name", "dataset"), LOCKED)
def test_key_is_sent_and_told_to_nobody(
    sandbox: Sandbox,
    browser: Browser,
    caplog: pytest.LogCaptureFixture,
    name: str,
    dataset: str,
) -> None:
    """A key opens what it is for, and is in no log, neither when all is well nor in an error."""
    asking = Asking(at(sandbox, name), browser)
    assert present(asking, dataset)
    sandbox.order("500")
    with caplog.at_level(0), pytest.raises(TransientError) as failed:
        present(asking, dataset)

    assert SECRET not in f"{failed.value!r} {caplog.text} {asking.fetches!r} {asking.provider!r}"


@pytest.mark.parametrize(
    ("name", "dataset"), [pair for pair in LOCKED if PROVIDERS[pair[0]].needs_key]
)
def test_nothing_is_told_without_the_key_that_is_due(
    sandbox: Sandbox, browser: Browser, name: str, dataset: str
) -> None:
    """A host that wants a key refuses who has none, for good; with one, nothing is lacking."""
    asking = Asking(at(sandbox, name, secret=None), browser)

    with pytest.raises((HostRefused, RequestRejected)):
        present(asking, dataset)
    assert len(sandbox.requests()) == 1
    assert at(sandbox, name).needs_key is None


@every_history
def test_past_values_are_one_a_slot_and_can_be_kept(
    sandbox: Sandbox, browser: Browser, name: str, dataset: str
) -> None:
    """A window has one valid row of its own time in each of its slots."""
    window, interval = window_of(dataset, 6), interval_of(dataset)
    rows = inside(past(Asking(at(sandbox, name), browser), dataset, window), window)

    assert [*interval.opens(window)] == opened(dataset, rows)
    assert [None] * 6 == [row.broken_promise() for row in rows]


@every_history
def test_neighbouring_windows_share_no_past_value(
    sandbox: Sandbox, browser: Browser, name: str, dataset: str
) -> None:
    """Where one window ends and the next begins, nothing is lost and nothing doubled."""
    asking = Asking(at(sandbox, name), browser)
    windows = window_of(dataset, 4, before=3), window_of(dataset, 3)
    parts = [row for one in windows for row in inside(past(asking, dataset, one), one)]
    whole = Window(windows[0].start, windows[1].end)

    assert windows[0].end == windows[1].start
    assert inside(past(asking, dataset, whole), whole) == parts


@every_history
def test_longest_span_is_asked_whole(
    sandbox: Sandbox, browser: Browser, name: str, dataset: str
) -> None:
    """A window as long as a provider declares loses no slot at either end."""
    span, interval = PROVIDERS[name].histories[dataset].span, interval_of(dataset)
    window = window_of(dataset, min(span // interval.step, MANY) - 1)
    rows = inside(past(Asking(at(sandbox, name), browser), dataset, window), window)

    assert [*interval.opens(window)] == opened(dataset, rows)


@every_history
def test_rate_limit_of_the_past_is_waited_out(
    sandbox: Sandbox, browser: Browser, name: str, dataset: str
) -> None:
    """A rate limit costs the wait it asks for and nothing else."""
    asking = Asking(at(sandbox, name), browser)
    sandbox.order("429:times=1,retry_after=3")

    assert past(asking, dataset, window_of(dataset, 2))
    assert [3.0] == asking.pacing.slept


@every_history
@odd_bodies
def test_odd_past_has_no_value(name: str, dataset: str, body: bytes) -> None:
    """JSON of another shape is an error of ours or no value at all, and never anything else."""
    history, window = PROVIDERS[name].histories[dataset], window_of(dataset, 2)

    async def ask(question: Question, read: Callable[[Reply], T]) -> T:  # noqa: ARG001 - an Asker
        return told(name, Reply(200, JSON, body), read)

    async def rows() -> Sequence[Observation]:
        series = served(dataset, history.name)[0]
        return await history.rows(ask, series, window, interval_of(dataset).step)

    found: Sequence[Observation] = []
    with suppress(MalformedReply, RequestRejected):
        found = asyncio.run(rows())

    assert [] == [*found]
