"""Kraken's protocol: what is asked, what recorded replies say, and errors that come with status 200."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import (
    HostRefused,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.candles import candle_endpoint, candle_question
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.kraken import KRAKEN
from crypto_pipeline.providers.replies import DEFAULT_PAUSE
from crypto_pipeline_tests.market.examples import series_of

assert KRAKEN.candles is not None
assert KRAKEN.instruments is not None
CANDLES, INSTRUMENTS = KRAKEN.candles, KRAKEN.instruments
JSON = {"content-type": "application/json; charset=utf-8"}
START = datetime(2024, 3, 1, tzinfo=UTC)


def reply_of(body: object, status: int = 200) -> Reply:
    """A JSON reply."""
    return Reply(status, JSON, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_recorded_page_is_read_as_it_was_printed(corpus: Path) -> None:
    """Every candle under the pair's older name, the mean price left out."""
    body = (corpus / "kraken" / "ohlc_xchange_2018.json").read_bytes()
    candles = CANDLES.rows(reply_of(body))
    rows = json.loads(body)["result"]["XXBTZUSD"]

    assert [[row[0], *map(Decimal, (*row[1:5], row[6])), row[7]] for row in rows] == [
        [(one.open_time - EPOCH) // timedelta(seconds=1), *one[1:6], one.trade_count]
        for one in candles
    ]
    assert KRAKEN.fault(reply_of(body)) is None
    assert len(candles) == CANDLES.depth_slots == CANDLES.page_limit


def test_recorded_pairs_are_listed(corpus: Path) -> None:
    """All but the dark pools, each spelt as it is asked for, bitcoin by its own name."""
    body = (corpus / "kraken" / "AssetPairs.json").read_bytes()
    listed = INSTRUMENTS.rows(reply_of(body))
    pairs = [one for one in json.loads(body)["result"].values() if "wsname" in one]

    assert [one["altname"] for one in pairs] == [one.symbol for one in listed]
    assert [one.symbol for one in listed] == [KRAKEN.symbol(one.instrument) for one in listed]
    assert {Instrument("BTC", "USD"), Instrument("DOGE", "BTC"), Instrument("ETH", "EUR")} <= {
        one.instrument for one in listed
    }


def test_pair_that_takes_no_orders_is_halted() -> None:
    """Whatever it is called that it does instead of trading."""
    pair = {"altname": "XBTUSD", "wsname": "XBT/USD"}
    result = {"A": pair | {"status": "online"}, "B": pair | {"status": "cancel_only"}}
    listed = INSTRUMENTS.rows(reply_of({"error": [], "result": result}))

    assert ["trading", "halted"] == [one.status for one in listed]


@pytest.mark.parametrize(("late", "since"), [(0, -1), (1, 0), (1_000_000, 0), (1_500_000, 1)])
def test_since_is_before_the_window(late: int, since: int) -> None:
    """It is exclusive and in whole seconds, so no candle of the window's first instant is lost."""
    start = START + timedelta(microseconds=late)
    series = series_of("BTC-USD", venue="kraken")
    question = candle_question(KRAKEN, series, Window(start, START + timedelta(hours=1)))

    assert {"pair": "XBTUSD", "interval": "1", "since": 1709251200 + since} == question.params


def test_history_is_so_many_candles() -> None:
    """Half a day of minutes, almost two years of days."""
    depths = [
        candle_endpoint(KRAKEN, series_of("BTC-USD", interval, "kraken")).depth
        for interval in ("1m", "1d")
    ]

    assert [timedelta(hours=12), timedelta(days=720)] == depths


@pytest.mark.parametrize(
    ("status", "errors", "kind"),
    [
        (200, ["EQuery:Unknown asset pair"], RequestRejected),
        (200, ["EGeneral:Invalid arguments"], RequestRejected),
        (200, ["EAPI:Rate limit exceeded"], RateLimited),
        (429, ["EGeneral:Too many requests"], RateLimited),
        (200, ["EGeneral:Temporary lockout"], RateLimited),
        (200, ["EService:Busy"], TransientError),
        (200, ["EService:Unavailable"], TransientError),
        (200, ["EGeneral:Internal error"], TransientError),
        (403, [], HostRefused),
        (520, [], TransientError),
    ],
)
def test_error_is_told_from_an_answer(
    status: int, errors: list[str], kind: type[ProviderError]
) -> None:
    """Whatever the status, the words decide; and they are told."""
    fault = KRAKEN.fault(reply_of({"error": errors}, status))

    assert kind is type(fault)
    assert "".join(errors) in str(fault)


def test_rate_limit_that_names_no_time_is_waited_out() -> None:
    """There is no header, so the pause is ours."""
    fault = KRAKEN.fault(reply_of({"error": ["EAPI:Rate limit exceeded"]}))

    assert isinstance(fault, RateLimited)
    assert DEFAULT_PAUSE == fault.retry_after


def test_warning_is_no_error() -> None:
    """An answer may have one beside it."""
    assert KRAKEN.fault(reply_of({"error": ["WGeneral:Danger"], "result": {}})) is None
