"""Gemini's protocol: what its documented replies say, and what its refusals mean."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import ProviderError, RateLimited, RequestRejected, TransientError
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.gemini import GEMINI
from crypto_pipeline_tests.providers.saying import candles_in, fault_of

assert GEMINI.candles is not None
CANDLES = GEMINI.candles


def test_sampled_rows_are_read_as_they_were_printed(corpus: Path) -> None:
    """Every number keeps its digits; a slot without a trade is a row without volume."""
    body = (corpus / "gemini/ccxtdoc_fetch_ohlcv_1.json").read_bytes()
    expected = [
        (row[0], *map(Decimal, row[1:]), None, None) for row in json.loads(body, parse_float=str)
    ]
    read = candles_in(GEMINI, body)

    assert expected == [(round((row[0] - EPOCH).total_seconds() * 1000), *row[1:]) for row in read]


def test_recorded_error_is_told_in_its_words(corpus: Path) -> None:
    """A symbol it does not know is a rejection that says so."""
    body = (corpus / "gemini/errors/pubticker_invalid_symbol.json").read_bytes()
    fault = fault_of(GEMINI, body, 400)

    assert type(fault) is RequestRejected
    assert "HTTP 400: Bad Request: Supplied value 'bla' is not a valid symbol." in str(fault)


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "InvalidSymbol", RequestRejected),
        (200, "InvalidSymbol", RequestRejected),
        (429, "RateLimit", RateLimited),
        (200, "RateLimited", RateLimited),
        (503, "Maintenance", TransientError),
        (200, "Maintenance", TransientError),
    ],
)
def test_error_means_what_its_reason_says(
    status: int, reason: str, kind: type[ProviderError]
) -> None:
    """An object whose result is an error is never a page, whatever its status."""
    fault = fault_of(GEMINI, {"result": "error", "reason": reason, "message": "why"}, status)

    assert kind is type(fault)
    assert f"{reason}: why" in str(fault)


def test_nothing_is_asked_but_the_path() -> None:
    """There is no parameter for a time: a day is what is promised, whatever the interval."""
    window = Window(datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 2, tzinfo=UTC))

    assert CANDLES.params("btcusd", "1m", window, 1440) == {}
    assert CANDLES.depth == timedelta(days=1)
