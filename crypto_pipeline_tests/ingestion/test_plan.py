"""The plan: all that is missing, in few requests, newest first."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.ingestion.plan import Request, pages, plan
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.market.strategies import MINUTE, minutes, runs, span

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


def test_nothing_missing_is_no_request() -> None:
    """A complete series costs nothing."""
    assert [] == list(pages(Runs(), MINUTE))
    assert [] == plan({series_of(): Runs()}, {"binance": 1000})


def test_requests_of_all_series_come_newest_first() -> None:
    """The newest hole of any series comes before older ones of all others."""
    btc, eth = series_of(), series_of("ETH-USDT")
    missing = {btc: Runs((span(0, 20),)), eth: Runs((span(5, 15), span(30, 31)))}

    assert [
        Request(eth, span(30, 31)),
        Request(btc, span(10, 20)),
        Request(eth, span(5, 15)),
        Request(btc, span(0, 10)),
    ] == plan(missing, {"binance": 10})


def test_page_is_counted_in_the_slots_of_its_series() -> None:
    """A page of a thousand hours is longer than one of a thousand minutes, and each venue has its own."""
    hours, days = series_of(interval="1h"), series_of(interval="1d", venue="kraken")
    missing = Runs((span(0, 10 * 24 * 60),))
    requests = plan({hours: missing, days: missing}, {"binance": 100, "kraken": 4})
    lengths = {
        one: [request.window.span for request in requests if request.series == one]
        for one in (hours, days)
    }

    assert [timedelta(hours=hour) for hour in (100, 100, 40)] == lengths[hours]
    assert [timedelta(days=day) for day in (4, 4, 2)] == lengths[days]
