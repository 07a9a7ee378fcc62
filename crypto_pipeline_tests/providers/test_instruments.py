"""What a venue lists and when a series began, asked over real HTTP."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.client import Ask
from crypto_pipeline.providers.declaration import Question
from crypto_pipeline.providers.instruments import first_candle, listed_instruments
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.providers.asking import START, Asking, Browser, binance_at, window_of
from crypto_pipeline_tests.providers.conftest import Answering

LISTED_AT = datetime(2017, 8, 17, 4, tzinfo=UTC)
"""When BTC-USDT begins at the sandbox, as it did at Binance."""
AUGUST = Window(datetime(2017, 8, 1, tzinfo=UTC), datetime(2017, 9, 1, tzinfo=UTC))


@pytest.fixture
def asking(sandbox: Sandbox, browser: Browser) -> Asking:
    """Binance at a sandbox."""
    return Asking(binance_at(sandbox.base_url()), browser)


def first(asking: Asking, window: Window, series: CandleSeries | None = None) -> datetime | None:
    """The first candle of a window."""
    return asking.run(lambda client: first_candle(client, series or series_of(), window))


def with_candles(asking: Asking, **changes: object) -> Asking:
    """The same, at a venue whose candles come otherwise."""
    assert asking.provider.candles is not None
    candles = replace(asking.provider.candles, **changes)
    return Asking(replace(asking.provider, candles=candles), asking.browser)


def test_list_costs_one_request_of_its_own_weight(asking: Asking, sandbox: Sandbox) -> None:
    """The whole venue is one question; the log has it without series and window."""
    listed = asking.run(listed_instruments)
    (fetch,) = asking.fetches

    assert [("/api/v3/exchangeInfo", None, None, len(listed))] == [
        (fetch.path, fetch.series, fetch.window, fetch.rows)
    ]
    assert [20] == [weight for _, weight, _ in asking.pacing.reserved]
    assert [(200, 20)] == [(request.status, request.weight) for request in sandbox.requests()]


def test_venue_without_a_list_is_named(asking: Asking, sandbox: Sandbox) -> None:
    """Where a provider declares no list, nothing is asked and the error says whose it is."""
    asking.provider = replace(asking.provider, instruments=None)

    with pytest.raises(RequestRejected, match=r"^binance offers no list of instruments"):
        asking.run(listed_instruments)
    assert [] == sandbox.requests()


@pytest.mark.parametrize("interval", ["1m", "1h", "4h"])
def test_first_candle_is_the_listing(asking: Asking, interval: str) -> None:
    """A window that begins before the listing has its first candle there."""
    assert LISTED_AT == first(asking, AUGUST, series_of(interval=interval))


def test_first_candle_is_one_request_for_one_row(asking: Asking, sandbox: Sandbox) -> None:
    """However long the window, one row is asked for, under the series' own name in the log."""
    first(asking, AUGUST)
    (fetch,) = asking.fetches

    assert ["1"] == [request.query["limit"] for request in sandbox.requests()]
    assert (series_of(), AUGUST, 1) == (fetch.series, fetch.window, fetch.rows)


@pytest.mark.parametrize("slots", [1, 10])
def test_first_candle_of_a_trading_series_is_the_first_slot(asking: Asking, slots: int) -> None:
    """A window in the midst of trading begins with its own first slot."""
    assert START == first(asking, window_of(slots))


def test_hole_at_the_start_is_passed_over(asking: Asking, sandbox: Sandbox) -> None:
    """The first candle is the first there is, not the first that should be."""
    sandbox.order(f"outage:BTCUSDT:{START:%Y-%m-%dT%H:%MZ}/{START:%Y-%m-%dT}23:40Z")

    assert START + timedelta(minutes=10) == first(asking, window_of(60))


def test_window_before_the_listing_has_no_first_candle(asking: Asking) -> None:
    """An answer without a row is None."""
    assert first(asking, Window(AUGUST.start, LISTED_AT)) is None


def test_candle_outside_the_window_is_none_of_its(
    answering: Callable[..., Answering], browser: Browser
) -> None:
    """A venue that answers with a later candle has none inside the window."""
    opened = round(START.timestamp() * 1000)
    kline = [opened, "1", "1", "1", "1", "1", opened + 59_999, "1", 1, "1", "1", "0"]
    server = answering(200, json.dumps([kline]).encode(), content_type="application/json")
    asking = Asking(binance_at(server.url), browser)

    assert first(asking, AUGUST) is None
    assert START == first(asking, window_of(1))


@pytest.mark.parametrize("change", ["ascending", "limit_counts_rows"])
@pytest.mark.parametrize("interval", ["1m", "1d"])
def test_first_candle_is_searched_where_one_row_is_not_the_answer(
    asking: Asking, change: str, interval: str
) -> None:
    """A venue that begins with the newest row, or counts slots, is walked through by days."""
    window = Window(datetime(1970, 1, 1, tzinfo=UTC), START)
    series = series_of(interval=interval)
    asking = with_candles(asking, **{change: False, "page_limit": 300})

    assert series.interval.floor(LISTED_AT) == first(asking, window, series)
    assert len(asking.fetches) <= 12


@pytest.mark.parametrize("interval", ["1m", "1h"])
def test_search_after_the_last_candle_finds_none(
    asking: Asking, sandbox: Sandbox, interval: str
) -> None:
    """The day in which a series ended holds candles, and none of them is a later one."""
    sandbox.order(f"delisted:BTCUSDT:{START:%Y-%m-%dT%H:%MZ}/2030-01-01")
    asking = with_candles(asking, ascending=False, page_limit=300)

    window = Window(START, START + timedelta(days=30))
    assert first(asking, window, series_of(interval=interval)) is None
    assert len(asking.fetches) <= 3


def test_series_that_is_not_offered_is_rejected(asking: Asking, sandbox: Sandbox) -> None:
    """What the provider does not serve is told before anything is asked."""
    with pytest.raises(RequestRejected, match="binance offers no 1m candles"):
        first(with_candles(asking, intervals={"1h": "1h"}), AUGUST)
    assert [] == sandbox.requests()


def test_reply_over_http_says_when_it_was_sent(asking: Asking) -> None:
    """The host's clock reaches whoever reads the reply."""
    ask = Ask(
        question=Question("/api/v3/exchangeInfo", {}, weight=20),
        series=None,
        window=None,
        read=lambda reply: reply.sent_at,
        count=bool,
    )
    (sent_at,) = asking.ask(ask)

    assert sent_at is not None
    assert abs(datetime.now(UTC) - sent_at) < timedelta(minutes=1)
