"""Faults are read, refused and dealt out as ordered."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_pipeline.errors import UsageError
from crypto_pipeline.sandbox.faults import (
    KINDS,
    MARKET,
    PAGES,
    Asked,
    Fault,
    FaultBook,
    disarranged,
)

PAGE = Asked("/binance/api/v3/klines", "BTCUSDT", is_page=True)
PING = Asked("/binance/api/v3/ping")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "outage:BTCUSDT:2026-01-02T03:00Z/2026-01-02T05:00Z",
            Fault(
                kind="outage",
                symbol="BTCUSDT",
                start=datetime(2026, 1, 2, 3, tzinfo=UTC),
                end=datetime(2026, 1, 2, 5, tzinfo=UTC),
            ),
        ),
        (
            "off_grid:2026-01-02/2026-01-03",
            Fault(
                kind="off_grid",
                start=datetime(2026, 1, 2, tzinfo=UTC),
                end=datetime(2026, 1, 3, tzinfo=UTC),
            ),
        ),
        (
            "delisted:BTCUSDT:2026-01-02T03:00Z/2026-02-01T00:00Z",
            Fault(
                kind="delisted",
                symbol="BTCUSDT",
                start=datetime(2026, 1, 2, 3, tzinfo=UTC),
                end=datetime(2026, 2, 1, tzinfo=UTC),
            ),
        ),
        ("429:times=3,retry_after=2", Fault(kind="429", times=3, retry_after=2)),
        ("slow:ms=2000,probability=0.1", Fault(kind="slow", ms=2000, probability=0.1)),
        ("500:ETHUSDT:times=1", Fault(kind="500", symbol="ETHUSDT", times=1)),
        ("reset:path=/binance/api/v3/time", Fault(kind="reset", path="/binance/api/v3/time")),
        ("html", Fault(kind="html")),
    ],
)
def test_compact_text_is_read(text: str, expected: Fault) -> None:
    """A fault on the command line says the same as one that is declared."""
    assert Fault.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("teapot", "unknown fault 'teapot': expected one of 429, 418"),
        ("", "cannot be read: write kind"),
        ("429:times=", "not name=value"),
        ("429:times=many", "times must be a whole number, not 'many'"),
        ("429:times=0", "times must be 1 or more"),
        ("429:often=3", "cannot be read: write kind"),
        ("slow:probability=2", "between 0 and 1"),
        ("slow:probability=often", "must be a number"),
        ("slow:ms=-1", "cannot be negative"),
        ("outage", "need START/END"),
        ("outage:BTCUSDT:2026-01-03/2026-01-02", "need START/END"),
        ("outage:2026-01-02/2026-13-02", "must be a time like"),
        ("outage:2026-01-02/2026-01-03:times=1", "for ever"),
        ("429:2026-01-02/2026-01-03", "need START/END"),
        ("delisted:BTCUSDT", "need START/END"),
        ("unlisted:BTCUSDT", "need START/END"),
        ("unlisted:2026-01-02/2026-01-03:probability=0.5", "for ever"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(text: str, told: str) -> None:
    """The message says what is wrong and what would be right."""
    with pytest.raises(UsageError) as caught:
        Fault.parse(text)

    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_json_and_compact_text_say_the_same() -> None:
    """The control endpoint takes the fields by name."""
    given_fields = {"kind": "429", "symbol": None, "times": 3, "retry_after": 2}

    assert Fault.of(given_fields) == Fault.parse("429:times=3,retry_after=2")


def test_json_of_other_fields_is_refused() -> None:
    """An unknown or ill-typed field is not passed over."""
    for wrong in ({"kind": "429", "often": 3}, {"times": 3}, {"kind": 429}):
        with pytest.raises(UsageError):
            Fault.of(wrong)


def test_a_fault_strikes_as_often_as_ordered() -> None:
    """After its times it is spent and no longer stands."""
    book = FaultBook(7, [Fault(kind="429", times=2)])
    struck = [len(book.strike(PAGE)) for _ in range(4)]

    assert struck == [1, 1, 0, 0]
    assert book.standing() == ()


def test_a_fault_without_times_strikes_for_ever() -> None:
    """Until it is cleared."""
    book = FaultBook(7, [Fault(kind="500")])
    assert all(book.strike(PAGE) for _ in range(50))

    book.clear()

    assert book.strike(PAGE) == ()


def test_refusals_are_dealt_one_after_the_other() -> None:
    """A request that is refused uses up no fault behind the refusal."""
    slow, busy, banned = Fault(kind="slow"), Fault(kind="429", times=1), Fault(kind="418", times=1)
    book = FaultBook(7, [slow, busy, banned])

    assert [book.strike(PAGE) for _ in range(3)] == [(slow, busy), (slow, banned), (slow,)]


def test_faults_strike_only_whom_they_concern() -> None:
    """Symbol and path narrow a fault, and page faults spare what is no page."""
    book = FaultBook(
        7,
        [
            Fault(kind="slow", symbol="ETHUSDT"),
            Fault(kind="slow", path="/binance/api/v3/ping"),
            Fault(kind="empty_page", times=1),
        ],
    )

    assert [fault.path for fault in book.strike(PING)] == ["/binance/api/v3/ping"]
    assert [fault.kind for fault in book.strike(PAGE)] == ["empty_page"]


def test_probability_is_drawn_the_same_for_one_seed() -> None:
    """About as often as ordered, and at the same requests in every run with the seed."""
    fault = Fault(kind="500", probability=0.3)
    runs = [
        [bool(book.strike(PAGE)) for _ in range(500)]
        for book in (FaultBook(7, [fault]), FaultBook(7, [fault]), FaultBook(8, [fault]))
    ]

    assert runs[0] == runs[1] != runs[2]
    assert 100 < sum(runs[0]) < 200


def test_market_faults_strike_no_request() -> None:
    """They have spans instead, for their symbol."""
    book = FaultBook(7, [Fault.parse("outage:BTCUSDT:1970-01-01T00:00:01Z/1970-01-01T00:00:02Z")])

    assert book.strike(PAGE) == ()
    assert book.spans("outage", PAGE) == ((1000, 2000),)
    assert book.spans("outage", PING) == ()


def test_a_market_fault_holds_from_its_start_to_just_before_its_end() -> None:
    """For its own kind and symbol alone."""
    span = "1970-01-01T00:00:01Z/1970-01-01T00:00:02Z"
    book = FaultBook(7, [Fault.parse(f"delisted:BTCUSDT:{span}")])
    held = [book.holds("delisted", PAGE, now) for now in (999, 1000, 1999, 2000)]

    assert [False, True, True, False] == held
    assert not book.holds("unlisted", PAGE, 1000)
    assert not book.holds("delisted", PING, 1000)


@settings(deadline=None)
@given(count=st.integers(2, 1000), kind=st.sampled_from(PAGES))
def test_a_disarranged_page_is_what_its_fault_says(count: int, kind: str) -> None:
    """Empty, short, with holes, with a row twice, or out of order; never a row from nowhere."""
    rows = disarranged(count, [kind])
    promised = {
        "empty_page": not rows,
        "short_page": rows == list(range(count // 2)),
        "stale_page": rows == list(range(max(count - 3, 0))),
        "holey_page": set(range(count)) - set(rows) == set(range(5, count - 1, 11))
        and rows == sorted(rows),
        "duplicate_rows": len(rows) > count and set(rows) == set(range(count)),
        "reordered_rows": rows != sorted(rows) and sorted(rows) == list(range(count)),
    }

    assert promised[kind]


def test_every_kind_can_be_ordered() -> None:
    """What is listed as a kind can be written in the compact form."""
    span = ":2026-01-02/2026-01-03"

    for kind in KINDS:
        assert Fault.parse(kind + span * (kind in MARKET)).kind == kind
