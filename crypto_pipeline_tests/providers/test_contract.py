"""The contract of every provider: whoever is named in PROVIDERS passes, over HTTP, against the sandbox.

A new provider is subscribed by existing; what is its own is tested in its own file.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

import pytest

from crypto_pipeline.errors import HostRefused, MalformedReply, RequestRejected, TransientError
from crypto_pipeline.frames.candles import Candle, broken_promise
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import INTERVALS
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.candles import candle_question
from crypto_pipeline.providers.declaration import Provider, Reply
from crypto_pipeline.providers.instruments import listed_instruments
from crypto_pipeline.sandbox.app import venues
from crypto_pipeline.sandbox.faults import FaultBook
from crypto_pipeline.sandbox.listings import Listing
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.providers.asking import (
    START,
    Asking,
    Browser,
    ask_of,
    joined,
    window_of,
)

T = TypeVar("T")

WITH_CANDLES = {name: provider.candles for name, provider in PROVIDERS.items() if provider.candles}
WITH_INSTRUMENTS = {
    name: provider.instruments for name, provider in PROVIDERS.items() if provider.instruments
}
SERVED = [
    (name, interval)
    for name, candles in WITH_CANDLES.items()
    for interval in INTERVALS
    if interval in candles.intervals
]
JSON = {"content-type": "application/json"}
ODD_BODIES = (
    b"",
    b"[",
    b"{}",
    b"null",
    b"7",
    b'"x"',
    b"[7]",
    b"[[]]",
    b'[["a"]]',
    b"[[null,null]]",
)
every_provider = pytest.mark.parametrize("name", WITH_CANDLES)
every_lister = pytest.mark.parametrize("name", WITH_INSTRUMENTS)
odd_bodies = pytest.mark.parametrize("body", ODD_BODIES, ids=str)


VENUES = {venue.name: venue for venue in venues(SandboxSettings(), FaultBook(7))}
CLOCK = [START]
"""What the sandbox's clock shows; venues that keep only the newest candles must be asked soon."""
OWN_WORDS = r"(?i)symbol|instrument|pair|product|market|currency|not.?found"


@pytest.fixture(scope="module")
def market() -> Iterator[Sandbox]:
    """A sandbox whose clock is set by who asks."""
    with running(SandboxSettings(weight_limit=None, clock=lambda: CLOCK[0])) as one:
        yield one


@pytest.fixture
def sandbox(market: Sandbox) -> Sandbox:
    """The sandbox, as if it were new, an hour after START."""
    market.clear_faults()
    market.clear_requests()
    CLOCK[0] = START + timedelta(hours=1)
    return market


def listings_of(name: str) -> Sequence[Listing]:
    """What the venue trades at the sandbox."""
    listings: Sequence[Listing] = getattr(VENUES[name], "listings")  # noqa: B009 - of some venues
    return listings


def pair_of(name: str) -> Listing:
    """The pair a venue is tested with."""
    return listings_of(name)[0]


def series_at(name: str, interval: str | None = None) -> CandleSeries:
    """The series a venue is tested with; its shortest interval unless another is named."""
    pair = pair_of(name)
    shortest = next(one for one in INTERVALS[1:] if one in WITH_CANDLES[name].intervals)
    return series_of(f"{pair.base}-{pair.quote}", interval or shortest, name)


def window_at(series: CandleSeries, slots: int) -> Window:
    """So many slots from the first aligned start; the sandbox's clock shows that they have just closed."""
    window = window_of(slots, series.interval.name, series.interval.ceil(START))
    CLOCK[0] = window.end + series.interval.step
    return window


def at(sandbox: Sandbox, name: str, page_limit: int | None = None) -> Provider:
    """A provider of PROVIDERS at the sandbox."""
    candles = WITH_CANDLES[name]
    candles = replace(candles, page_limit=page_limit or candles.page_limit)
    return replace(PROVIDERS[name], base_url=sandbox.base_url(name), mirrors=(), candles=candles)


def read(name: str, body: bytes, rows: Callable[[Reply], T]) -> T:
    """What the client makes of a body: the provider's fault, or its rows."""
    reply = Reply(200, JSON, body)
    fault = PROVIDERS[name].fault(reply)
    if fault is not None:
        raise fault
    return rows(reply)


def rows_of(asking: Asking, series: CandleSeries, slots: int) -> list[Candle]:
    """The candles of so many slots from an aligned start, sorted: pages may come newest first."""
    return sorted(joined(asking.pages(series, window_at(series, slots))))


@pytest.mark.parametrize(("name", "interval"), SERVED)
def test_rows_are_inside_sorted_unique_and_whole(
    sandbox: Sandbox, browser: Browser, name: str, interval: str
) -> None:
    """Every interval a provider declares gives one valid candle for each slot of the window, in order."""
    asking = Asking(at(sandbox, name), browser)
    series = series_at(name, interval)
    window = window_at(series, 12)
    rows = joined(asking.pages(series, window))

    assert [*series.interval.opens(window)] == [row.open_time for row in rows]
    assert [None] * 12 == [*map(broken_promise, rows)]


@every_provider
def test_neighbouring_windows_share_no_row(sandbox: Sandbox, browser: Browser, name: str) -> None:
    """Where one window ends and the next begins, nothing is lost and nothing doubled."""
    asking = Asking(at(sandbox, name), browser)
    series = series_at(name)
    whole = window_at(series, 20)
    edges = [whole.start + number * series.interval.step for number in (0, 1, 7, 20)]
    windows = [Window(start, end) for start, end in pairwise(edges)]
    parts = [row for window in windows for row in joined(asking.pages(series, window))]

    assert joined(asking.pages(series, whole)) == parts


@every_provider
@pytest.mark.parametrize("page_limit", [1, 2, 3, 7])
def test_page_boundary_loses_and_doubles_nothing(
    sandbox: Sandbox, browser: Browser, name: str, page_limit: int
) -> None:
    """Small pages give what one large page gives."""
    whole = rows_of(Asking(at(sandbox, name), browser), series_at(name), 20)
    pages = rows_of(Asking(at(sandbox, name, page_limit), browser), series_at(name), 20)

    assert whole == pages


@every_provider
def test_rate_limit_is_waited_out(sandbox: Sandbox, browser: Browser, name: str) -> None:
    """A 429 costs the wait it asks for and nothing else."""
    asking = Asking(at(sandbox, name), browser)
    sandbox.order("429:times=1,retry_after=3")

    assert len(rows_of(asking, series_at(name), 5)) == 5
    assert [3.0] == asking.pacing.slept


@every_provider
@pytest.mark.parametrize("fault", ["451", "403_html", "418:retry_after=300"])
def test_refusal_is_not_repeated(sandbox: Sandbox, browser: Browser, name: str, fault: str) -> None:
    """A host that refuses an address is asked once."""
    asking = Asking(at(sandbox, name), browser)
    sandbox.order(fault)

    with pytest.raises(HostRefused):
        rows_of(asking, series_at(name), 5)
    assert len(sandbox.requests()) == 1


@every_provider
@pytest.mark.parametrize("fault", ["500", "503", "html", "garbage", "cut_body", "reset"])
def test_failure_that_may_pass_is_ours_and_transient(
    sandbox: Sandbox, browser: Browser, name: str, fault: str
) -> None:
    """Whatever breaks below the protocol is told as an error of ours after several tries."""
    asking = Asking(at(sandbox, name), browser)
    sandbox.order(fault)

    with pytest.raises(TransientError):
        rows_of(asking, series_at(name), 5)
    assert len(sandbox.requests()) > 1


@every_provider
def test_unknown_symbol_is_rejected_once(sandbox: Sandbox, browser: Browser, name: str) -> None:
    """A symbol the venue does not know is a permanent error in the venue's own words."""
    asking = Asking(at(sandbox, name), browser)
    series = series_at(name)
    unknown = replace(series, instrument=Instrument("NOSUCH", series.instrument.quote))

    with pytest.raises(RequestRejected, match=OWN_WORDS):
        rows_of(asking, unknown, 5)
    assert len(sandbox.requests()) == 1


@every_provider
@odd_bodies
def test_odd_body_is_malformed(name: str, body: bytes) -> None:
    """JSON that is no page of candles is never read as one, nor does it raise anything else."""
    with pytest.raises(MalformedReply):
        read(name, body, WITH_CANDLES[name].rows)


@every_provider
def test_question_stays_inside_its_window(sandbox: Sandbox, browser: Browser, name: str) -> None:
    """One page, asked for directly, holds no row beyond a bound it names, so no clipping hides a wrong one."""
    provider, series = at(sandbox, name), series_at(name)
    window, step = window_at(series, 5), series.interval.step
    (rows,) = Asking(provider, browser).ask(ask_of(provider, window, series))
    earlier = Window(window.start - step, window.end)
    later = Window(window.start, window.end + step)
    asked = candle_question(provider, series, window)
    names_start = asked != candle_question(provider, series, earlier)
    names_end = asked != candle_question(provider, series, later)
    times = {row.open_time for row in rows}

    assert {*series.interval.opens(window)} <= times
    assert not names_start or min(times) >= window.start
    assert not names_end or max(times) < window.end


@every_provider
def test_series_are_spelt_apart(name: str) -> None:
    """Two instruments never share a symbol, nor two intervals a spelling."""
    provider = PROVIDERS[name]
    endpoint = WITH_CANDLES[name]
    instruments = [Instrument.parse(one) for one in ("BTC-USDT", "ETH-USDT", "ETH-BTC")]

    assert len({*map(provider.symbol, instruments)}) == 3
    assert len({*endpoint.intervals.values()}) == len(endpoint.intervals)


@every_lister
def test_venue_lists_its_instruments(sandbox: Sandbox, browser: Browser, name: str) -> None:
    """All that trades at the sandbox is listed as trading, each once, spelt as it is asked for."""
    provider = replace(PROVIDERS[name], base_url=sandbox.base_url(name), mirrors=())
    listed = Asking(provider, browser).run(listed_instruments)
    trading = {one.instrument for one in listed if one.status == "trading"}

    listings = [one for one in listings_of(name) if one.listed_at <= CLOCK[0]]
    assert {Instrument(listing.base, listing.quote) for listing in listings} <= trading
    assert [provider.symbol(one.instrument) for one in listed] == [one.symbol for one in listed]
    assert len({one.instrument for one in listed}) == len(listed)


@every_lister
@odd_bodies
def test_odd_list_is_malformed(name: str, body: bytes) -> None:
    """JSON that lists no instrument is never read as a venue without any."""
    with pytest.raises(MalformedReply):
        read(name, body, WITH_INSTRUMENTS[name].rows)
