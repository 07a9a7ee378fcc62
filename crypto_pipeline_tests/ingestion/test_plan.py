"""The plan: all that is missing, in few requests, newest first."""

from dataclasses import replace
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.ingestion.plan import MARGIN_SLOTS, Request, pages, plan
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import MONDAY, WEEK
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.providers.binance_usdm import BINANCE_USDM
from crypto_pipeline.providers.candles import candle_endpoint
from crypto_pipeline.providers.declaration import CandleEndpoint
from crypto_pipeline.warehouse.ledger import Wanted
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.market.strategies import (
    DAY_IN_MINUTES,
    MINUTE,
    minutes,
    runs,
    span,
    spans,
)

BTC = series_of()
PAGES_OF_A_THOUSAND = candle_endpoint(BINANCE, BTC)
lengths = st.integers(1, 50)


@given(runs(300), lengths)
def test_every_missing_slot_is_in_exactly_one_window(missing: Runs, length: int) -> None:
    """Nothing missing is forgotten and nothing asked for twice."""
    windows = [minutes(window) for window in pages(missing, length * MINUTE)]

    assert minutes(missing) <= set().union(*windows)
    assert sum(map(len, windows)) == len(set().union(*windows))


@given(runs(300), lengths)
def test_windows_fit_a_page_and_come_newest_first(missing: Runs, length: int) -> None:
    """No window is longer than a page, and each lies before the one that came before it."""
    windows = list(pages(missing, length * MINUTE))

    assert all(window.span <= length * MINUTE for window in windows)
    assert all(older.end <= newer.start for newer, older in pairwise(windows))


@given(runs(300), lengths)
def test_windows_begin_and_end_with_what_is_missing(missing: Runs, length: int) -> None:
    """Nobody asks beyond the holes."""
    for window in pages(missing, length * MINUTE):
        inside = minutes(window) & minutes(missing)

        assert {min(minutes(window)), max(minutes(window))} <= inside


@given(runs(300), lengths)
def test_no_plan_has_fewer_windows(missing: Runs, length: int) -> None:
    """Taking the newest missing slot and a page's length before it, again and again, needs as many."""
    left, fewest = minutes(missing), 0
    while left:
        newest = max(left)
        left = {minute for minute in left if minute <= newest - length}
        fewest += 1

    assert fewest == len(list(pages(missing, length * MINUTE)))


def test_isolated_slot_is_one_request() -> None:
    """A hole of a minute is asked for as a minute, not as a page."""
    assert [span(7, 8)] == list(pages(Runs((span(7, 8),)), 1000 * MINUTE))


def test_holes_within_a_page_are_joined() -> None:
    """A page costs the same however much of it is missing."""
    holes = Runs((span(0, 1), span(4, 5), span(9, 10), span(10 + 1000, 10 + 1001)))

    assert [span(1010, 1011), span(0, 10)] == list(pages(holes, 1000 * MINUTE))
    assert [span(1010, 1011), span(4, 10), span(0, 1)] == list(pages(holes, 6 * MINUTE))


def wanting(slots: Runs, *, absent: Runs | None = None, hollow: Runs | None = None) -> Wanted:
    """What is missing and wanted, all of it and for the first time unless said otherwise."""
    return Wanted(slots, slots if absent is None else absent, hollow or Runs())


def planned(wanted: Wanted, endpoint: CandleEndpoint = PAGES_OF_A_THOUSAND) -> list[Request]:
    """The requests for one series of minutes."""
    return plan({BTC: wanted}, {"binance": endpoint})


@st.composite
def wishes(draw: st.DrawFn) -> Wanted:
    """Any wanted slots among absent ones, some of them asked for before; or all, there or not."""
    absent, slots = draw(runs(300)), draw(runs(300))
    slots = slots if draw(st.booleans()) else slots & absent
    return Wanted(slots, absent, absent & draw(runs(300)))


@st.composite
def endpoints(draw: st.DrawFn) -> CandleEndpoint:
    """Venues with small pages, whose limit counts rows or slots."""
    limits = {"page_limit": draw(st.integers(3, 50)), "limit_counts_rows": draw(st.booleans())}
    return replace(PAGES_OF_A_THOUSAND, **limits)


@given(wishes(), endpoints())
def test_every_wanted_slot_is_wanted_of_exactly_one_request(
    wanted: Wanted, endpoint: CandleEndpoint
) -> None:
    """Nothing wanted is forgotten, nothing else is to be stored, and no slot comes twice."""
    shares = [minutes(request.slots) for request in planned(wanted, endpoint)]

    assert minutes(wanted.slots) == set().union(*shares)
    assert sum(map(len, shares)) == len(set().union(*shares))


@given(wishes(), endpoints())
def test_window_holds_what_is_wanted_and_a_slot_each_way(
    wanted: Wanted, endpoint: CandleEndpoint
) -> None:
    """The rows around what is wanted are asked for too: they prove a hole, or end it."""
    for request in planned(wanted, endpoint):
        slots = minutes(request.slots)

        assert slots | {min(slots) - 1, max(slots) + 1} <= minutes(request.window)


@given(wishes(), endpoints())
def test_page_asks_for_no_more_than_fits(wanted: Wanted, endpoint: CandleEndpoint) -> None:
    """Only slots that gave no row before may be more than a page holds, and only where rows are counted."""
    free = minutes(wanted.hollow) if endpoint.limit_counts_rows else set()

    for request in planned(wanted, endpoint):
        assert len(minutes(request.window) - free) <= endpoint.page_limit


@given(wishes(), endpoints())
def test_requests_of_a_series_come_newest_first(wanted: Wanted, endpoint: CandleEndpoint) -> None:
    """Whatever the windows reach to, the newest wanted slots are asked for first."""
    newest = [max(minutes(request.slots)) for request in planned(wanted, endpoint)]

    assert sorted(newest, reverse=True) == newest


@given(wishes(), endpoints())
def test_margins_cost_few_requests(wanted: Wanted, endpoint: CandleEndpoint) -> None:
    """Pages are two slots shorter for the rows around; a long hole that is spanned may part its neighbours."""
    shorter = max(endpoint.page_limit - MARGIN_SLOTS, 1) * MINUTE
    spanned = [run for run in wanted.slots & wanted.hollow if run.span > shorter]
    plain = list(pages(wanted.slots, shorter))

    assert len(planned(wanted, endpoint)) <= len(plain) + len(spanned)


@given(spans(300), runs(300), st.integers(3, 50))
def test_hole_that_was_asked_for_before_is_spanned(
    hole: Window, due: Runs, page_limit: int
) -> None:
    """However long it is and whichever part of it is wanted again, the rows on both sides are asked for."""
    absent = Runs((hole,))
    endpoint = replace(PAGES_OF_A_THOUSAND, page_limit=page_limit)

    for request in planned(Wanted(due & absent, absent, absent), endpoint):
        assert Window(hole.start - MINUTE, hole.end + MINUTE) == request.window


def test_nothing_wanted_is_no_request() -> None:
    """A complete series costs nothing."""
    assert [] == list(pages(Runs(), MINUTE))
    assert [] == planned(wanting(Runs()))


def test_missing_minute_is_one_request_for_the_rows_around_it() -> None:
    """A minute is asked for with the ones before and after, which are there, and not as a page."""
    one = Runs((span(7, 8),))

    assert [Request(BTC, span(6, 9), one)] == planned(wanting(one))


def test_slots_that_wait_beside_it_are_spanned_where_they_fit() -> None:
    """The window reaches the rows around the whole hole, when the page has room for it."""
    one, hole = Runs((span(7, 8),)), Runs((span(0, 400),))

    assert [Request(BTC, span(-1, 401), one)] == planned(wanting(one, absent=hole))
    assert [Request(BTC, span(6, 9), one)] == planned(
        wanting(one, absent=hole), replace(PAGES_OF_A_THOUSAND, page_limit=10)
    )


def test_holes_that_fit_a_page_are_one_request() -> None:
    """Joined holes are asked for as one window, of which just the holes are wanted."""
    holes = Runs((span(0, 1), span(500, 600), span(997, 998)))
    apart = Runs((span(0, 1), span(998, 999)))

    assert [Request(BTC, span(-1, 999), holes)] == planned(wanting(holes))
    assert [Request(BTC, span(997, 1000), Runs((span(998, 999),)))] == planned(wanting(apart))[:1]
    assert len(planned(wanting(apart))) == 2


def test_long_hole_is_paged_once_and_then_spanned() -> None:
    """Three days without a row cost a page each thousand slots the first time, and one page after that."""
    hole = Runs((span(0, 3 * DAY_IN_MINUTES),))
    newer = Runs((span(0, 3 * DAY_IN_MINUTES + 5),))
    by_slots = replace(PAGES_OF_A_THOUSAND, limit_counts_rows=False)

    assert len(planned(wanting(hole))) == 5
    assert [Request(BTC, span(-1, 3 * DAY_IN_MINUTES + 1), hole)] == planned(
        wanting(hole, hollow=hole)
    )
    assert len(planned(wanting(newer, hollow=hole))) == 2
    assert len(planned(wanting(hole, hollow=hole), by_slots)) == 5


def test_week_is_a_slot_though_the_ledger_counts_it_in_a_day() -> None:
    """Of three weeks without a row one is due: the window reaches the rows of the weeks around all three."""
    weeks = [MONDAY + number * WEEK for number in range(5)]
    days = [Window(week, week + DAY) for week in weeks]
    wanted = wanting(Runs((days[2],)), absent=Runs(tuple(days[1:4])))
    (request,) = plan({series_of(interval="1w"): wanted}, {"binance": PAGES_OF_A_THOUSAND})

    assert weeks == [week for week in weeks if week in request.window]
    assert request.window.span < 6 * WEEK


def test_row_before_the_first_slot_kept_is_told_to_the_request_at_it() -> None:
    """Where the window reaches into what the venue has and nobody wants, its first candle is known."""
    older = span(-5000, 0)
    wanted = replace(wanting(Runs((span(0, 2), span(3000, 3001)))), older=older)

    assert [None, older.start] == [request.before for request in planned(wanted)]


def test_page_reaches_back_for_a_row_where_the_newest_come_first() -> None:
    """Such a venue proves nothing with a row of another answer, so the first page holds all it can."""
    downwards = replace(PAGES_OF_A_THOUSAND, ascending=False)
    slots = Runs((span(0, 2),))
    for first in (-5000, -10):
        wanted = replace(wanting(slots), older=span(first, 0))
        (request,) = planned(wanted, downwards)

        assert span(max(first, 3 - 1000), 3) == request.window
        assert slots == request.slots


def test_thousand_isolated_minutes_are_a_thousand_requests_at_most() -> None:
    """Holes strewn over a year cost a page each at most, and never a walk through what lies between."""
    numbers = Random(7).sample(range(365 * DAY_IN_MINUTES), 1000)
    holes = Runs.of(span(number, number + 1) for number in numbers)
    requests = planned(wanting(holes))

    assert 900 < len(holes.windows)
    assert len(requests) <= 1000
    assert max(request.window.span for request in requests) <= 1000 * MINUTE


def test_requests_of_all_series_come_newest_first() -> None:
    """The newest hole of any series comes before older ones of all others."""
    eth = series_of("ETH-USDT")
    wanted = {
        BTC: wanting(Runs((span(0, 20),))),
        eth: wanting(Runs((span(5, 15), span(30, 31)))),
    }
    requests = plan(wanted, {"binance": replace(PAGES_OF_A_THOUSAND, page_limit=12)})

    assert [
        (eth, [span(30, 31)]),
        (BTC, [span(10, 20)]),
        (eth, [span(5, 15)]),
        (BTC, [span(0, 10)]),
    ] == [(request.series, list(request.slots)) for request in requests]


def test_long_run_is_paged_by_weight() -> None:
    """Of limits that weigh differently the one with the most rows for its weight is the page."""
    endpoint = candle_endpoint(BINANCE_USDM, series_of(venue=BINANCE_USDM.name))
    requests = planned(wanting(Runs((span(0, DAY_IN_MINUTES),))), endpoint)

    assert [497, 497, 446] == [request.slots.slots(MINUTE) for request in requests]
    assert [499, 499, 448] == [request.window.span // MINUTE for request in requests]


def test_page_is_counted_in_the_slots_of_its_series() -> None:
    """A page of a hundred hours is longer than one of a hundred minutes, and each venue has its own."""
    hours, days = series_of(interval="1h"), series_of(interval="1d", venue="kraken")
    wanted = wanting(Runs((span(0, 10 * DAY_IN_MINUTES),)))
    limits = {
        venue: replace(PAGES_OF_A_THOUSAND, page_limit=limit)
        for venue, limit in (("binance", 102), ("kraken", 6))
    }
    requests = plan({hours: wanted, days: wanted}, limits)
    lengths = {
        one: [
            request.slots.slots(one.interval.step) for request in requests if request.series == one
        ]
        for one in (hours, days)
    }

    assert {hours: [100, 100, 40], days: [4, 4, 2]} == lengths
