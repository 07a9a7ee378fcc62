"""Wrong queries are refused in Binance's words, over real HTTP."""

import httpx
import pytest

KLINES = "/api/v3/klines"


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        (KLINES, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        (
            f"{KLINES}?symbol=BTCUSDT",
            -1102,
            "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.",
        ),
        (f"{KLINES}?symbol=&interval=1m", -1105, "Parameter 'symbol' was empty."),
        (f"{KLINES}?symbol=NOPEUSDT&interval=1m", -1121, "Invalid symbol."),
        (f"{KLINES}?symbol=BTCUSDT&interval=7m", -1120, "Invalid interval."),
        (
            f"{KLINES}?symbol=btcusdt&interval=1m",
            -1100,
            (
                "Illegal characters found in parameter 'symbol'; "
                r"legal range is '^[\w\-._&&[^a-z]]{1,50}$'."
            ),
        ),
        (
            f"{KLINES}?symbol=BTCUSDT&interval=1m&limit=-1",
            -1100,
            "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
        ),
        (
            f"{KLINES}?symbol=BTCUSDT&interval=1m&limit=0",
            -1130,
            "Data sent for parameter 'limit' is not valid.",
        ),
        (
            f"{KLINES}?symbol=BTCUSDT&interval=1m&startTime=99999999999999999999",
            -1108,
            "Parameter 'startTime' overflowed.",
        ),
        (
            f"{KLINES}?symbol=BTCUSDT&interval=1m&fromId=1",
            -1104,
            "Not all sent parameters were read; read '2' parameter(s) but was sent '3'.",
        ),
        (
            f"{KLINES}?symbol=BTCUSDT&symbol=BTCUSDT&interval=1m",
            -1101,
            "Duplicate values for a parameter detected.",
        ),
        ("/api/v3/time?a=1", -1101, "Too many parameters; expected '0' and received '1'."),
        ("/api/v3/exchangeInfo?symbol=NOPEUSDT", -1121, "Invalid symbol."),
        (
            '/api/v3/exchangeInfo?symbol=BTCUSDT&symbols=["BTCUSDT"]',
            -1128,
            "Combination of optional parameters invalid.",
        ),
    ],
)
def test_wrong_requests_are_refused_in_binances_words(
    binance: httpx.Client, path: str, code: int, message: str
) -> None:
    """HTTP 400 with the code and message of the real one."""
    reply = binance.get(path)

    assert (reply.status_code, reply.json()) == (400, {"code": code, "msg": message})
