"""Paging whichever side a venue cuts and whatever its limit counts: the same rows, in few requests."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.candles import CandlePage, candle_endpoint, candle_pages
from crypto_pipeline.providers.client import Client
from crypto_pipeline.sandbox import app
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
    window_of,
)
from crypto_pipeline_tests.providers.odd_venue import OddExchange, odd_venue

MINUTE = timedelta(minutes=1)
SERIES = series_of(venue="odd")
over_http = settings(deadline=None, max_examples=40)


@dataclass(frozen=True)
class Habits:
    """How a venue cuts its pages."""

    page_limit: int
    ascending: bool
    counts_rows: bool


@dataclass(frozen=True)
class OddVenue:
    """A sandbox with the odd venue in it, and what asks it."""

    sandbox: Sandbox
    browser: Browser

    def asking(self, habits: Habits) -> Asking:
        """Who asks a venue of these habits."""
        limit, ascending, counts = habits.page_limit, habits.ascending, habits.counts_rows
        url = self.sandbox.base_url("odd")
        provider = odd_venue(url, limit, ascending=ascending, counts_rows=counts)
        return Asking(provider, self.browser)

    def order(self, *faults: Fault) -> None:
        """Order just these faults."""
        self.sandbox.clear_faults()
        self.sandbox.order(*faults)

    def truth(self, window: Window) -> list[Candle]:
        """The whole window in one piece."""
        provider = self.asking(Habits(100_000, ascending=True, counts_rows=True)).provider
        (rows,) = Asking(provider, self.browser).ask(ask_of(provider, window, SERIES))
        return sorted(rows)


@pytest.fixture(scope="module")
def venue(browser: Browser) -> Iterator[OddVenue]:
    """The odd venue over the synthetic market."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(app, "EXCHANGES", (OddExchange,))
        with running(SandboxSettings(weight_limit=None)) as sandbox:
            yield OddVenue(sandbox, browser)


def habits(least: int = 1) -> st.SearchStrategy[Habits]:
    """Every way of cutting pages."""
    return st.builds(Habits, st.integers(least, 200), st.booleans(), st.booleans())


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """A window of up to 300 minutes that may begin and end off the grid."""
    start = START + draw(st.integers(0, 2_000)) * MINUTE
    start += timedelta(milliseconds=draw(st.sampled_from([0, 0, 1, 30_000, 59_999])))
    length = draw(st.integers(1, 300)) * MINUTE
    return Window(start, start + length - timedelta(milliseconds=draw(st.sampled_from([0, 1]))))


@st.composite
def weather(draw: st.DrawFn) -> list[Fault]:
    """Spans in which the market was out of order."""
    starts = draw(st.lists(st.integers(-60, 2_300), max_size=3))
    return [
        Fault(
            kind=draw(st.sampled_from(["outage", "off_grid"])),
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


def rows_of(pages: list[CandlePage]) -> list[Candle]:
    """The candles of all pages, sorted, for pages may come newest first."""
    return sorted(candle for page in pages for candle in page.frame.candles)


@over_http
@given(windows(), habits(), weather(), garbling())
def test_joined_pages_are_the_truth(
    venue: OddVenue, window: Window, habits: Habits, weathers: list[Fault], garbled: list[Fault]
) -> None:
    """Nothing is lost and nothing doubled at any boundary, whichever side is cut."""
    assume(window.span / habits.page_limit < 40 * MINUTE)
    venue.order(*weathers)
    expected = venue.truth(window)
    venue.order(*weathers, *garbled)

    assert expected == rows_of(venue.asking(habits).pages(SERIES, window))


@over_http
@given(windows(), st.integers(2, 100), weather())
def test_short_page_is_not_taken_for_the_last(
    venue: OddVenue, window: Window, page_limit: int, weathers: list[Fault]
) -> None:
    """Downwards, too, all comes but the one row whose half is none."""
    assume(window.span / page_limit < 30 * MINUTE)
    venue.order(*weathers)
    expected = venue.truth(window)
    venue.order(*weathers, Fault(kind="short_page"))
    habits = Habits(page_limit, ascending=False, counts_rows=True)

    assert expected[1:] == rows_of(venue.asking(habits).pages(SERIES, window))


@over_http
@given(windows(), habits(least=2), weather())
def test_absences_are_true(
    venue: OddVenue, window: Window, habits: Habits, weathers: list[Fault]
) -> None:
    """Whatever a reply is said to prove absent lies between two of the venue's rows, and holds none."""
    assume(window.span / habits.page_limit < 40 * MINUTE)
    venue.order(*weathers)
    rows = {row.open_time for row in venue.truth(window)}
    pages = venue.asking(habits).pages(SERIES, window)

    for absence in (absence for page in pages for absence in page.absences):
        assert {absence.before, absence.after} <= rows
        assert not [moment for moment in rows if moment in absence.slots]


@over_http
@given(
    st.lists(st.tuples(st.integers(0, 299), st.integers(1, 60)), min_size=1), habits(), weather()
)
def test_wanted_slots_all_come(
    venue: OddVenue, spans: list[tuple[int, int]], habits: Habits, weathers: list[Fault]
) -> None:
    """Of a window that reaches further only what is wanted is given, and not one row is lost."""
    assume(habits.page_limit > 5)
    wanted = Runs.of(
        Window(START + first * MINUTE, START + (first + length) * MINUTE) for first, length in spans
    )
    window = window_of(400, start=START - 10 * MINUTE)
    venue.order(*weathers)

    async def gathered(client: Client) -> list[CandlePage]:
        pages = candle_pages(client, SERIES, window, LONG_AFTER, wanted)
        return [page async for page in pages]

    slots = SERIES.interval.floor
    assert [row for row in venue.truth(window) if slots(row.open_time) in wanted] == rows_of(
        venue.asking(habits).run(gathered)
    )


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("counts_rows", [True, False])
def test_full_window_takes_one_request_a_page(
    venue: OddVenue, *, ascending: bool, counts_rows: bool
) -> None:
    """A page that reaches the last slot is not followed by an empty one."""
    venue.order()
    for slots, page_limit, requests in ((10, 10, 1), (20, 10, 2), (21, 10, 3), (5, 10, 1)):
        asking = venue.asking(Habits(page_limit, ascending, counts_rows))
        asking.pages(SERIES, window_of(slots))

        assert requests == len(asking.fetches)


def test_pages_come_newest_first_where_the_oldest_are_cut(venue: OddVenue) -> None:
    """Each page lies before the one that came before it."""
    venue.order()
    pages = venue.asking(Habits(7, ascending=False, counts_rows=True)).pages(SERIES, window_of(30))
    newest = [page.frame.candles[-1].open_time for page in pages]

    assert all(later > earlier for later, earlier in pairwise(newest))
    assert len(newest) == 5


@pytest.mark.parametrize("ascending", [True, False])
def test_slots_without_rows_do_not_end_a_window(venue: OddVenue, *, ascending: bool) -> None:
    """Where the limit counts slots, an empty page says nothing about the pages after it."""
    outage = Fault(kind="outage", start=START + 5 * MINUTE, end=START + 95 * MINUTE)
    venue.order(outage)
    pages = venue.asking(Habits(10, ascending, counts_rows=False)).pages(SERIES, window_of(100))

    assert [*range(5), *range(95, 100)] == [
        (row.open_time - START) // MINUTE for row in rows_of(pages)
    ]


def test_depth_in_candles_is_a_length_of_time_of_the_interval(venue: OddVenue) -> None:
    """The shorter of both, where both are declared."""
    provider = venue.asking(Habits(10, ascending=True, counts_rows=True)).provider
    assert provider.candles is not None
    candles = replace(provider.candles, depth_slots=720, depth=timedelta(days=10))
    provider = replace(provider, candles=candles)
    depths = [
        candle_endpoint(provider, series_of(interval=name)).depth for name in ("1m", "1h", "1d")
    ]

    assert [timedelta(hours=12), timedelta(days=10), timedelta(days=10)] == depths
