"""Binance's protocol: what is asked, what recorded replies say, and what its refusals mean."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH, INTERVALS
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.binance import BINANCE, BINANCE_US
from crypto_pipeline.providers.declaration import Listed, Reply
from crypto_pipeline.providers.replies import BAN_PAUSE, DEFAULT_PAUSE, REFUSAL_PAUSE

T = TypeVar("T")

assert BINANCE.candles is not None
assert BINANCE.instruments is not None
CANDLES, INSTRUMENTS = BINANCE.candles, BINANCE.instruments
START = datetime(2023, 1, 1, tzinfo=UTC)
BTC_USDT = {"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT"}
NO_NUMBERS: tuple[object, ...] = (16541.77, 16541, None, "", "abc", "1,5", [])
KLINE: list[Any] = [
    *(1672531200000, "16541.77", "16545.70", "16508.39", "16529.67", "4364.83570"),
    *(1672534799999, "72142018.61590960", 149854, "2179.94772", "36032212.18", "0"),
]


def reply_of(body: object, status: int = 200, **headers: str) -> Reply:
    """A JSON reply."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        status,
        {"content-type": "application/json;charset=UTF-8", **named},
        body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


def answered(reply: Reply) -> list[Candle]:
    """What the client makes of a page of candles."""
    return list(unless_at_fault(reply, CANDLES.rows))


def listed(*symbols: object) -> list[Listed]:
    """What the client makes of an answer that lists these symbols."""
    return listed_in(reply_of({"timezone": "UTC", "symbols": symbols}))


def listed_in(reply: Reply) -> list[Listed]:
    """What the client makes of a list of symbols."""
    return list(unless_at_fault(reply, INSTRUMENTS.rows))


def unless_at_fault(reply: Reply, rows: Callable[[Reply], Sequence[T]]) -> Sequence[T]:
    """The fault of a reply, or its rows."""
    fault = BINANCE.fault(reply)
    if fault is not None:
        raise fault
    return rows(reply)


def printed(candle: Candle) -> list[object]:
    """A candle in the words of the venue; numbers with as many decimals as they came with."""
    numbers = (format(value, "f") for value in candle[1:7] if isinstance(value, Decimal))
    return [(candle.open_time - EPOCH) // timedelta(milliseconds=1), *numbers, candle.trade_count]


def recordings(corpus: Path) -> Iterator[Path]:
    """Every recorded page of klines, of spot and of futures, which print them alike."""
    return chain(corpus.glob("binance/klines_*.json"), corpus.glob("binance_futures/klines_*.json"))


def test_recorded_pages_are_read_as_they_were_printed(corpus: Path) -> None:
    """Every number of every recorded kline comes out with the very digits the venue printed."""
    files = list(recordings(corpus))
    for file in files:
        rows = json.loads(file.read_bytes(), parse_float=str)
        expected = [[row[0], *row[1:6], row[7], row[8]] for row in rows]

        assert expected == [*map(printed, answered(reply_of(file.read_bytes())))], file.name
    assert len(files) >= 4


def test_recorded_geo_block_refuses_the_host(corpus: Path) -> None:
    """A 451 whose body has code 0 is a refusal for an hour, not an unknown code."""
    body = (corpus / "_geo_blocks/binance_451.json").read_bytes()
    fault = BINANCE.fault(reply_of(body, 451))

    assert isinstance(fault, HostRefused)
    assert fault.retry_after == REFUSAL_PAUSE
    assert "HTTP 451: 0 Service unavailable from a restricted location" in str(fault)


def test_recorded_edge_page_refuses_the_host(corpus: Path) -> None:
    """CloudFront's HTML with 403 is a refusal, not a malformed answer to be asked for again."""
    body = (corpus / "_geo_blocks/cloudfront_403.html").read_bytes()
    fault = BINANCE.fault(Reply(403, {"content-type": "text/html"}, body))

    assert isinstance(fault, HostRefused)
    assert str(fault) == "HTTP 403"


@pytest.mark.parametrize(
    ("status", "code", "kind", "pause"),
    [
        (400, -1121, RequestRejected, None),
        (400, -1120, RequestRejected, None),
        (200, -1121, RequestRejected, None),
        (200, -1003, RateLimited, DEFAULT_PAUSE),
        (429, -1003, RateLimited, DEFAULT_PAUSE),
        (418, -1003, HostRefused, BAN_PAUSE),
        (403, -1, HostRefused, REFUSAL_PAUSE),
        (500, -1001, TransientError, None),
        (503, -1008, TransientError, None),
    ],
)
def test_refusal_is_classed_by_status_and_code(
    status: int, code: int, kind: type[ProviderError], pause: float | None
) -> None:
    """The status goes first, the code decides where the status says all is well."""
    fault = BINANCE.fault(reply_of({"code": code, "msg": "Why not."}, status))

    assert kind is type(fault)
    assert f"{code} Why not." in str(fault)
    assert pause == getattr(fault, "retry_after", None)


@pytest.mark.parametrize("status", [200, 429, 418])
def test_pause_that_binance_names_is_kept(status: int) -> None:
    """Too much weight waits as long as Retry-After says, whatever the status."""
    fault = BINANCE.fault(reply_of({"code": -1003, "msg": ""}, status, retry_after="7"))

    assert isinstance(fault, RateLimited | HostRefused)
    assert fault.retry_after == 7


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, MalformedReply), (403, HostRefused), (404, RequestRejected), (502, TransientError)],
)
def test_html_is_judged_by_its_status_and_never_parsed(
    status: int, kind: type[ProviderError]
) -> None:
    """A page of HTML is a refusal or a failure; with 200 it is a malformed answer."""
    with pytest.raises(kind) as fault:
        answered(Reply(status, {"content-type": "text/html"}, b"<html></html>"))

    assert kind is fault.type


@pytest.mark.parametrize("cut", range(1, 150, 7))
def test_cut_page_is_malformed(cut: int) -> None:
    """However much of a page is lost, what is left is not taken for an answer."""
    body = json.dumps([KLINE, KLINE]).encode()

    with pytest.raises(MalformedReply):
        answered(reply_of(body[:-cut]))


def changed(place: int, value: object) -> list[object]:
    """A kline with one cell replaced."""
    return [*KLINE[:place], value, *KLINE[place + 1 :]]


@pytest.mark.parametrize(
    "body",
    [
        *({}, None, 7, "[]", {"data": []}, [None], [[]], [7], ["123456789"], [{}]),
        *([KLINE[:8]], [dict(enumerate(KLINE))]),
        *([changed(0, value)] for value in ("1672531200000", 1.5, True, None, 10**30, -(10**30))),
        *([changed(1, value)] for value in NO_NUMBERS),
        *([changed(8, value)] for value in ("149854", 1.5, False, None)),
    ],
    ids=str,
)
def test_other_shapes_are_malformed(body: object) -> None:
    """Whatever else JSON can hold is our error, and never a bare one."""
    with pytest.raises(MalformedReply):
        answered(reply_of(body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=13) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=30,
)


@given(json_values)
def test_any_json_is_rows_or_our_error(body: object) -> None:
    """No body brings the pipeline down."""
    with suppress(ProviderError):
        assert all(isinstance(row, Candle) for row in answered(reply_of(body)))


@given(st.integers(0, 11), json_values)
def test_any_cell_is_read_or_our_error(place: int, value: object) -> None:
    """The same for a page that is right but for one cell."""
    try:
        (row,) = answered(reply_of([changed(place, value)]))
    except MalformedReply:
        return

    assert isinstance(row, Candle)


@given(
    st.datetimes(datetime(2017, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(1, 10**12),
)
def test_window_is_asked_for_with_its_end_outside(start: datetime, length: int) -> None:
    """``endTime`` is inclusive there, so it is the last millisecond inside our window."""
    start = start.replace(microsecond=start.microsecond // 1000 * 1000)
    end = start + timedelta(milliseconds=length)
    params = CANDLES.params("BTCUSDT", "1m", Window(start, end), 1000)

    assert start == EPOCH + timedelta(milliseconds=int(params["startTime"]))
    assert end == EPOCH + timedelta(milliseconds=int(params["endTime"]) + 1)


def test_question_is_worded_as_binance_reads_it() -> None:
    """Symbol, interval, bounds in milliseconds, and the largest page there is."""
    window = Window(START, START + timedelta(hours=1))
    symbol = BINANCE.symbol(Instrument("BTC", "USDT"))

    assert {
        "symbol": "BTCUSDT",
        "interval": "4h",
        "startTime": 1672531200000,
        "endTime": 1672534799999,
        "limit": 1000,
    } == CANDLES.params(symbol, CANDLES.intervals["4h"], window, CANDLES.page_limit)


def test_every_interval_is_offered() -> None:
    """Binance has all the intervals that this warehouse knows, under the same names."""
    assert {name: name for name in INTERVALS} == dict(CANDLES.intervals)


def test_mirror_is_the_public_data_host() -> None:
    """Where the main host refuses an address, the host that serves market data to all is next."""
    assert ("https://api.binance.com", "https://data-api.binance.vision") == BINANCE.hosts


def test_recorded_list_is_read_whole(corpus: Path) -> None:
    """Every recorded symbol has its instrument, its spelling, and whether it trades."""
    body = (corpus / "binance/exchangeInfo_trimmed.json").read_bytes()
    found = listed_in(reply_of(body))
    printed = [
        (row["symbol"], f"{row['baseAsset']}-{row['quoteAsset']}", row["status"] == "TRADING")
        for row in json.loads(body)["symbols"]
    ]

    assert len(found) == 25
    assert Listed(Instrument("BTC", "USDT"), "BTCUSDT", "trading") in found
    assert Listed(Instrument("BCC", "BTC"), "BCCBTC", "halted") in found
    assert printed == [(one.symbol, str(one.instrument), one.status == "trading") for one in found]
    assert [one.symbol for one in found] == [BINANCE.symbol(one.instrument) for one in found]


@pytest.mark.parametrize("status", ["BREAK", "HALT", "END_OF_DAY", "AUCTION_MATCH", "trading", ""])
def test_whatever_does_not_trade_is_halted(status: str) -> None:
    """There is one word for trading; all others, known today or not, mean that it does not."""
    (found,) = listed(BTC_USDT | {"status": status})

    assert Listed(Instrument("BTC", "USDT"), "BTCUSDT", "halted") == found


@pytest.mark.parametrize("base", ["币安人生", "btc", "A-B", "", "X" * 21])
def test_asset_without_a_name_here_is_left_out(base: str) -> None:
    """A symbol that no instrument can name costs the others nothing."""
    nameless = BTC_USDT | {"symbol": f"{base}USDT", "baseAsset": base}

    assert ["BTCUSDT"] == [one.symbol for one in listed(nameless, BTC_USDT)]


@pytest.mark.parametrize("body", [{"symbols": []}, {"symbols": {}}, {"symbols": ""}, {"rows": []}])
def test_list_without_a_symbol_is_malformed(body: object) -> None:
    """A venue that lists nothing is a venue that has not answered."""
    with pytest.raises(MalformedReply):
        listed_in(reply_of(body))


@pytest.mark.parametrize("symbol", [None, 7, "BTCUSDT", [], {}, [BTC_USDT]], ids=str)
def test_symbol_of_another_shape_is_malformed(symbol: object) -> None:
    """A list that is wrong in one place is not trusted in the others."""
    with pytest.raises(MalformedReply):
        listed(BTC_USDT, symbol)


@pytest.mark.parametrize("key", BTC_USDT)
@given(value=json_values)
def test_any_symbol_is_read_or_our_error(key: str, value: object) -> None:
    """Whatever stands in a symbol's cell, only a text is taken for one."""
    try:
        found = listed(BTC_USDT, BTC_USDT | {key: value})
    except MalformedReply:
        return

    assert isinstance(value, str)
    assert Listed(Instrument("BTC", "USDT"), "BTCUSDT", "trading") in found


@given(json_values)
def test_any_json_is_a_list_or_our_error(body: object) -> None:
    """No body of the list brings the pipeline down."""
    with suppress(ProviderError):
        listed_in(reply_of(body))


def test_list_is_asked_for_without_what_nobody_reads() -> None:
    """Permission sets stay away, and the weight is what Binance counts for all symbols."""
    assert {"showPermissionSets": "false"} == dict(INSTRUMENTS.params)
    assert 20 == INSTRUMENTS.weight


def test_binance_us_is_asked_as_binance_is(corpus: Path) -> None:
    """The same questions to a host of its own, which has no mirror and refuses other countries."""
    assert BINANCE_US.candles is not None
    body = (corpus / "_geo_blocks/cloudfront_403.html").read_bytes()
    window = Window(START, START + timedelta(hours=1))

    assert ("https://api.binance.us",) == BINANCE_US.hosts
    assert CANDLES.params("BTCUSDT", "1m", window, 5) == BINANCE_US.candles.params(
        "BTCUSDT", "1m", window, 5
    )
    assert isinstance(
        BINANCE_US.fault(Reply(403, {"content-type": "text/html"}, body)), HostRefused
    )
    assert {*INTERVALS} - {"1s"} == {*BINANCE_US.candles.intervals}


def block_of(body: bytes) -> CandleBlock | None:
    """The candles of a reply as arrays."""
    assert CANDLES.block is not None
    return CANDLES.block(reply_of(body))


def page_of(rows: int) -> bytes:
    """A page as Binance prints it."""
    cells = ["1.50000000", "20.00000000", "0.00000100", "3.10000000", "123456.00000000"]
    page = [
        [1502942400000 + 60_000 * at, *cells, 1502942459999, "4.00000000", at, "1.0", "2.0", "0"]
        for at in range(rows)
    ]
    return json.dumps(page, separators=(",", ":")).encode()


@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_plain_page_is_read_as_arrays(rows: int) -> None:
    """Digit for digit what is read row by row."""
    body = page_of(rows)
    block = block_of(body)

    assert block is not None
    assert [str(row) for row in CANDLES.rows(reply_of(body))] == [str(row) for row in block]


@pytest.mark.parametrize(
    "name", ["klines_BTCUSDT_1d_2019_365rows", "klines_BTCUSDT_1h_176rows_2023-01"]
)
def test_recorded_page_is_read_as_arrays(corpus: Path, name: str) -> None:
    """As the venue sends it, without the recorder's white space."""
    rows = json.loads((corpus / f"binance/{name}.json").read_bytes())
    body = json.dumps(rows, separators=(",", ":")).encode()
    block = block_of(body)

    assert block is not None
    assert CANDLES.rows(reply_of(body)) == list(block)


@given(
    st.integers(0, len(page_of(3)) - 1), st.sampled_from(b'x-e"[]{}:., n\x00\xff'), st.booleans()
)
@example(at=87, odd=ord("."), is_inserted=False)  # the first digit of a number that is not read
def test_page_with_anything_odd_in_it_is_not_read_as_arrays(
    at: int, odd: int, is_inserted: bool
) -> None:
    """What is not plain digits where digits are due is left to who reads row by row."""
    body = bytearray(page_of(3))
    body[at : at + (not is_inserted)] = bytes([odd])
    block = block_of(bytes(body))

    if block is not None:
        assert CANDLES.rows(reply_of(bytes(body))) == list(block)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"[[]]", b"[[1]]", b"{}", page_of(2)[:-3], page_of(1)[1:-1]]
)
def test_what_is_no_page_is_not_read_as_arrays(body: bytes) -> None:
    """An empty page neither: it has no candles."""
    assert block_of(body) is None
