"""Paging: joined pages equal the one truth, however a venue cuts and garbles them."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.frames.candles import Candle, CandleFrame
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.providers.candles import (
    Absence,
    CandlePage,
    candle_endpoint,
    candle_pages,
)
from crypto_pipeline.providers.client import Client
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.providers.asking import (
    LONG_AFTER,
    START,
    Asking,
    Browser,
    ask_of,
    binance_at,
    joined,
    window_of,
)

MINUTE = timedelta(minutes=1)
MS = timedelta(milliseconds=1)
SERIES = series_of()
CROWDED = sorted(
    {
        slot * 60_000 + late
        for slot in range(46)
        for late in (0, 1, 14_789, 59_999)
        if slot * 7 % 10 > late % 9
    }
)
over_http = settings(deadline=None, max_examples=40)


@dataclass(frozen=True)
class Venue:
    """A sandbox, and what asks it."""

    sandbox: Sandbox
    browser: Browser

    def order(self, *faults: Fault | str) -> None:
        """Order just these faults."""
        self.sandbox.clear_faults()
        self.sandbox.order(*faults)

    def truth(self, window: Window) -> list[Candle]:
        """The whole window as the venue answers it in one piece."""
        provider = binance_at(self.sandbox.base_url())
        (rows,) = Asking(provider, self.browser).ask(ask_of(provider, window))
        return list(rows)

    def paged(self, window: Window, page_limit: int) -> list[Candle]:
        """The window page by page."""
        provider = binance_at(self.sandbox.base_url(), page_limit=page_limit)
        return joined(Asking(provider, self.browser).pages(SERIES, window))


@pytest.fixture(scope="module")
def venue(market: Sandbox, browser: Browser) -> Venue:
    """The synthetic market."""
    return Venue(market, browser)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Venue]:
    """A market whose slots hold one, two or three candles, on the grid and off it, or none."""
    path = recording(tmp_path_factory.mktemp("recorded"), CROWDED)
    with running(SandboxSettings(weight_limit=None, recorded=path)) as sandbox:
        yield Venue(sandbox, browser)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """A window of up to 300 minutes that may begin and end off the grid."""
    start = START + timedelta(milliseconds=draw(st.sampled_from([0, 0, 1, 30_000, 59_999])))
    start += draw(st.integers(0, 2_000)) * MINUTE
    length = draw(st.integers(1, 300)) * MINUTE
    return Window(start, start + length - draw(st.sampled_from([0, 0, 1, 59_999])) * MS)


@st.composite
def weather(draw: st.DrawFn, kind: str) -> list[Fault]:
    """Spans in which the market itself was out of order."""
    starts = draw(st.lists(st.integers(-60, 2_300), max_size=3))
    return [
        Fault(
            kind=kind,
            start=START + start * MINUTE,
            end=START + (start + draw(st.integers(1, 200))) * MINUTE,
        )
        for start in starts
    ]


@st.composite
def garbling(draw: st.DrawFn) -> list[Fault]:
    """Pages whose rows come twice or in another order."""
    kinds = draw(st.sets(st.sampled_from(["duplicate_rows", "reordered_rows"])))
    return [Fault(kind=kind, probability=draw(st.sampled_from([0.4, 1.0]))) for kind in kinds]


page_limits = st.one_of(st.integers(1, 12), st.integers(13, 400))


@over_http
@given(windows(), page_limits, weather("outage"), weather("off_grid"), garbling())
def test_joined_pages_are_the_truth(
    venue: Venue,
    window: Window,
    page_limit: int,
    outages: list[Fault],
    off_grid: list[Fault],
    garbled: list[Fault],
) -> None:
    """Nothing is lost and nothing doubled at any boundary, whatever the page and the market are like."""
    assume(window.span / page_limit < 60 * MINUTE)
    venue.order(*outages, *off_grid)
    expected = venue.truth(window)
    venue.order(*outages, *off_grid, *garbled)

    assert expected == venue.paged(window, page_limit)


@st.composite
def weights(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Limits that weigh less than the page limit, in any proportion."""
    limits = sorted(draw(st.sets(st.integers(2, 399), max_size=3)))
    return [(limit, draw(st.integers(1, 9))) for limit in limits]


@over_http
@given(windows(), weights(), st.integers(1, 9), weather("outage"), weather("off_grid"))
def test_pages_of_any_weight_are_the_truth(
    venue: Venue,
    window: Window,
    weights: list[tuple[int, int]],
    heaviest: int,
    outages: list[Fault],
    off_grid: list[Fault],
) -> None:
    """Whatever limits pay, the rows are the same, and each request takes what its limit weighs."""
    venue.order(*outages, *off_grid)
    provider = binance_at(venue.sandbox.base_url(), page_limit=400)
    assert provider.candles is not None
    candles = replace(provider.candles, weights=weights, weight=heaviest)
    asking = Asking(replace(provider, candles=candles), venue.browser)
    expected = venue.truth(window)
    venue.sandbox.clear_requests()

    assert expected == joined(asking.pages(SERIES, window))
    assert [candles.weight_of(int(one.query["limit"])) for one in venue.sandbox.requests()] == [
        weight for _, weight, _ in asking.pacing.reserved
    ]


@over_http
@given(windows(), st.integers(2, 100), weather("outage"), weather("off_grid"))
def test_short_page_is_not_taken_for_the_last(
    venue: Venue,
    window: Window,
    page_limit: int,
    outages: list[Fault],
    off_grid: list[Fault],
) -> None:
    """When every page holds half of what it should, all comes but the one row whose half is none."""
    assume(window.span / page_limit < 30 * MINUTE)
    venue.order(*outages, *off_grid)
    expected = venue.truth(window)
    venue.order(*outages, *off_grid, Fault(kind="short_page"))

    assert expected[:-1] == venue.paged(window, page_limit)


@over_http
@given(windows(), st.integers(2, 40), st.integers(1, 4))
def test_empty_page_ends_without_a_hole(
    venue: Venue, window: Window, page_limit: int, empty_after: int
) -> None:
    """What came before an empty page is a whole beginning of the window; the rest is for another day."""
    assume(window.span / page_limit < 30 * MINUTE)
    venue.order()
    expected = venue.truth(window)
    venue.order(Fault(kind="empty_page", probability=1 / empty_after))
    came = venue.paged(window, page_limit)

    assert expected[: len(came)] == came


def recording(folder: Path, opens: Sequence[int]) -> Path:
    """A file of one-minute candles that open so many milliseconds after START."""
    first = (START - EPOCH) // MS
    path = folder / "BTCUSDT-1m.csv"
    with path.open("w", newline="") as file:
        for at in opens:
            price = f"{100 + at / 1000:.3f}"
            opened = first + at
            csv.writer(file).writerow(
                [opened, *[price] * 4, "1.0", opened + 59_999, "1.0", "1", "1.0", "1.0"]
            )
    return path


@over_http
@given(st.integers(0, 25), st.integers(1, 20), st.integers(1, 5))
def test_every_row_of_a_slot_comes(crowded: Venue, first: int, slots: int, page_limit: int) -> None:
    """A slot that holds a candle on the grid and others off it gives them all, the last slot excepted."""
    window = window_of(slots + 1, start=START + first * MINUTE)
    but_the_last = window_of(slots, start=START + first * MINUTE)
    expected = [START + at * MS for at in CROWDED if START + at * MS in but_the_last]
    came = [row.open_time for row in crowded.paged(window, page_limit)]

    assert expected == [moment for moment in came if moment in but_the_last]
    assert sorted(set(came)) == came


def test_full_window_takes_one_request_a_page(venue: Venue) -> None:
    """A page that reaches the window's last slot is not followed by an empty one."""
    for slots, page_limit, requests in ((10, 10, 1), (20, 10, 2), (21, 10, 3), (5, 10, 1)):
        venue.order()
        venue.sandbox.clear_requests()
        venue.paged(window_of(slots), page_limit)

        assert len(venue.sandbox.requests()) == requests


def test_outage_at_the_end_costs_one_more_request(venue: Venue) -> None:
    """An answer that stops early is followed by one question, whose empty answer ends it."""
    venue.order(Fault(kind="outage", start=START + 5 * MINUTE, end=START + 60 * MINUTE))
    venue.sandbox.clear_requests()

    assert len(venue.paged(window_of(10), 10)) == 5
    assert len(venue.sandbox.requests()) == 2


def test_open_candle_is_not_in_the_pages(sandbox: Sandbox, browser: Browser) -> None:
    """What opens at the end of the newest closed slot, or later, is not given."""
    asking = Asking(binance_at(sandbox.base_url()), browser)
    rows = joined(asking.pages(SERIES, window_of(10), due=START + 4 * MINUTE))

    assert [START + number * MINUTE for number in range(4)] == [row.open_time for row in rows]


def minutes(first: int, stop: int) -> Window:
    """The minutes ``first`` up to and without ``stop`` after START."""
    return Window(START + first * MINUTE, START + stop * MINUTE)


def outage(first: int, stop: int) -> Fault:
    """The market has no rows in these minutes."""
    return Fault(kind="outage", start=START + first * MINUTE, end=START + stop * MINUTE)


def gaps(rows: Sequence[Candle]) -> list[Absence]:
    """What lies between rows of one answer: the slots that open between neighbours and are not theirs."""
    return [
        Absence(Window(before.open_time + MINUTE, after.open_time), *(before[0], after[0]))
        for before, after in pairwise(rows)
        if before.open_time + MINUTE < after.open_time
    ]


@over_http
@given(windows(), st.integers(2, 400), weather("outage"), garbling())
def test_absences_lie_between_rows_of_one_reply(
    venue: Venue, window: Window, page_limit: int, outages: list[Fault], garbled: list[Fault]
) -> None:
    """Just the slots that one answer spans without a row; between two answers nothing is proven."""
    assume(window.span / page_limit < 60 * MINUTE)
    venue.order(*outages)
    rows = venue.truth(window)
    replies = [rows[first : first + page_limit] for first in range(0, len(rows), page_limit)]
    venue.order(*outages, *garbled)
    asking = Asking(binance_at(venue.sandbox.base_url(), page_limit=page_limit), venue.browser)
    found = [absence for page in asking.pages(SERIES, window) for absence in page.absences]

    assert [absence for reply in replies for absence in gaps(reply)] == found


@over_http
@given(
    st.lists(st.tuples(st.integers(0, 299), st.integers(1, 60)), min_size=1), st.integers(2, 400)
)
def test_rows_are_clipped_to_what_is_wanted(
    venue: Venue, spans: list[tuple[int, int]], page_limit: int
) -> None:
    """Of a window that reaches further only the wanted slots' rows are given, and not one is lost."""
    wanted = Runs.of(minutes(first, first + length) for first, length in spans)
    window = minutes(-1, 360)
    venue.order(outage(50, 100))
    asking = Asking(binance_at(venue.sandbox.base_url(), page_limit=page_limit), venue.browser)
    rows = joined(asking.run(lambda client: gathered(client, window, wanted=wanted)))

    assert [row for row in venue.truth(window) if row.open_time in wanted] == rows


async def gathered(
    client: Client,
    window: Window,
    *,
    wanted: Runs | None = None,
    before: datetime | None = None,
) -> list[CandlePage]:
    """All pages of a window."""
    pages = candle_pages(client, SERIES, window, LONG_AFTER, wanted, before)
    return [page async for page in pages]


def test_nothing_is_asked_beyond_the_last_wanted_slot(venue: Venue) -> None:
    """The margin after what is wanted is part of a page that is asked for, and no reason for another."""
    venue.order()
    asking = Asking(binance_at(venue.sandbox.base_url(), page_limit=10), venue.browser)
    asking.run(lambda client: gathered(client, minutes(-1, 20), wanted=Runs((minutes(0, 9),))))

    assert len(asking.fetches) == 1


def test_rows_that_are_not_wanted_are_witnesses_all_the_same(venue: Venue) -> None:
    """The rows in the margins are not given, and prove what lies between them."""
    venue.order(outage(5, 8))
    asking = Asking(binance_at(venue.sandbox.base_url()), venue.browser)
    hole = minutes(5, 8)
    (page,) = asking.run(lambda client: gathered(client, minutes(4, 9), wanted=Runs((hole,))))

    assert (
        CandlePage(CandleFrame(()), (Absence(hole, START + 4 * MINUTE, START + 8 * MINUTE),))
        == page
    )


def test_known_row_before_the_window_is_a_witness_of_the_first_reply(venue: Venue) -> None:
    """Where the venue is known to have had a row before, its first answer proves what it begins without."""
    venue.order(outage(0, 5), outage(15, 20))
    asking = Asking(binance_at(venue.sandbox.base_url(), page_limit=10), venue.browser)
    known = START - 90 * MINUTE
    pages = asking.run(lambda client: gathered(client, minutes(0, 30), before=known))

    assert [Absence(minutes(0, 5), known, START + 5 * MINUTE)] == [
        absence for page in pages for absence in page.absences
    ]


def test_slot_with_a_row_anywhere_in_it_is_not_absent(crowded: Venue) -> None:
    """Candles off the grid fill the slots they lie in; only slots without any row are absent."""
    crowded.order()
    (page,) = Asking(binance_at(crowded.sandbox.base_url()), crowded.browser).pages(
        SERIES, minutes(0, 46)
    )
    filled = {at // 60_000 for at in CROWDED}
    empty = [slot for slot in range(min(filled), max(filled)) if slot not in filled]

    assert empty
    assert Runs.of(minutes(slot, slot + 1) for slot in empty) == Runs.of(
        absence.slots for absence in page.absences
    )


def test_candle_that_is_open_by_the_hosts_clock_is_not_given(browser: Browser) -> None:
    """However far ahead our clock is, the host's own date decides; its open candle is a witness, though."""
    now = START + 5 * MINUTE + timedelta(seconds=30)
    faults = (outage(3, 5),)
    settings = SandboxSettings(weight_limit=None, clock=lambda: now, faults=faults)
    with running(settings) as sandbox:
        (page,) = Asking(binance_at(sandbox.base_url()), browser).pages(SERIES, minutes(0, 10))

    assert [START + number * MINUTE for number in range(3)] == [
        row.open_time for row in joined([page])
    ]
    assert (Absence(minutes(3, 5), START + 2 * MINUTE, START + 5 * MINUTE),) == page.absences


@pytest.mark.parametrize("kind", ["empty_page", "short_page", "stale_page"])
def test_page_that_ends_early_proves_nothing(venue: Venue, kind: str) -> None:
    """What comes after the last row of an answer may be anywhere."""
    venue.order(Fault(kind=kind))
    pages = Asking(binance_at(venue.sandbox.base_url()), venue.browser).pages(
        SERIES, minutes(0, 60)
    )

    assert not [absence for page in pages for absence in page.absences]


def test_provider_without_candles_is_told() -> None:
    """A provider that has no candles at all rejects the series by name."""
    with pytest.raises(RequestRejected, match="binance offers no candles"):
        candle_endpoint(replace(BINANCE, candles=None), SERIES)


def test_interval_that_is_not_offered_is_told() -> None:
    """The rejection shows what the provider offers instead."""
    candles = replace(candle_endpoint(BINANCE, SERIES), intervals={"1h": "60", "1d": "D"})

    with pytest.raises(RequestRejected, match=r"no 1m candles: ohlc\.interval can be 1h, 1d"):
        candle_endpoint(replace(BINANCE, candles=candles), SERIES)
