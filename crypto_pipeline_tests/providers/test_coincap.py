"""CoinCap's protocol: what its recorded replies say, and how its history is asked for."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.coincap import COINCAP
from crypto_pipeline_tests.providers.observing import (
    FIVE_MINUTES,
    Answers,
    present_in,
    question_of,
)


def test_assets_are_read_as_they_were_printed(corpus: Path) -> None:
    """Texts are exact numbers; the time of all is that of the reply."""
    body = (corpus / "coincap/v2_assets_6rows_2021-10-27.json").read_bytes()
    moment = EPOCH + timedelta(milliseconds=1635293152930)
    columns = ("priceUsd", "marketCapUsd", "volumeUsd24Hr", "changePercent24Hr")
    expected = {
        row["id"]: Price(moment, *(Decimal(row[column]) for column in columns))
        for row in json.loads(body)["data"]
    }

    assert 6 == len(expected)
    assert expected == present_in(COINCAP, body)


def test_asset_without_a_price_has_no_row() -> None:
    """An asset that is listed and not priced is not there."""
    assert {} == present_in(COINCAP, {"data": [{"id": "x", "priceUsd": None}], "timestamp": 1})


def test_assets_are_asked_for_together() -> None:
    """All in one request."""
    question = question_of(COINCAP, "bitcoin", "ethereum")

    assert "/v3/assets" == question.path
    assert "bitcoin,ethereum" == question.params["ids"]


def test_history_is_asked_for_within_the_window() -> None:
    """Both bounds are inclusive milliseconds, so the last one lies before the window's end."""
    body = {"data": [{"priceUsd": "5.2500", "time": 300_000, "date": "x"}], "timestamp": 1}
    answers = Answers(COINCAP, [body])
    window = Window(EPOCH + FIVE_MINUTES, EPOCH + 3 * FIVE_MINUTES)
    rows = answers.past("bitcoin", window, FIVE_MINUTES)

    assert [Price(EPOCH + FIVE_MINUTES, Decimal("5.2500"))] == rows
    assert "/v3/assets/bitcoin/history" == answers.asked[0].path
    assert {"interval": "m5", "start": 300_000, "end": 899_999} == answers.asked[0].params
