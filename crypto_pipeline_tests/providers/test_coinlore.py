"""CoinLore's protocol: what its documented reply says."""

from datetime import timedelta
from decimal import Decimal

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.providers.coinlore import COINLORE
from crypto_pipeline_tests.providers.observing import present_in, question_of

ROW = {
    "symbol": "USDe",
    "price_usd": "6456.520",
    "percent_change_24h": "-1.47",
    "market_cap_usd": "111586042785.56",
    "volume24": 3997655362.9586277,
}


def test_ticker_is_read_as_it_is_printed() -> None:
    """Numbers keep their digits, whether text or not; the time is the list's, the name the symbol."""
    rows = [ROW, {**ROW, "price_usd": "1"}, {**ROW, "symbol": "X", "market_cap_usd": ""}]
    body = {"data": rows, "info": {"coins_num": 3, "time": 1538560355}}
    found = present_in(COINLORE, body)
    moment = EPOCH + timedelta(seconds=1538560355)
    volume, change = Decimal("3997655362.9586277"), Decimal("-1.47")

    assert {"USDE", "X"} == found.keys()
    assert (moment, Decimal("6456.520"), Decimal("111586042785.56"), volume, change) == found[
        "USDE"
    ]
    assert Price(moment, Decimal("6456.520"), None, volume, change) == found["X"]


def test_largest_hundred_are_asked_for() -> None:
    """The path ends with a slash, as documented, and is the same whoever is wanted."""
    question = question_of(COINLORE, "BTC")

    assert ("/api/tickers/", {"start": 0, "limit": 100}) == (question.path, question.params)
