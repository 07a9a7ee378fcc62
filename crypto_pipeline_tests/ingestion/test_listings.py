"""The calendar over real HTTP: when series begin and end, and what a failure leaves as it was."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.listings import (
    FEW_ATTEMPTS,
    READ_EVERY,
    CalendarRead,
    read_calendar,
)
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.sandbox.listings import LISTINGS
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.ingestion.lines import (
    HOUR,
    MINUTE,
    Lines,
    explanations,
    missing,
    store_of,
    with_candles,
    with_provider,
)
from crypto_pipeline_tests.ingestion.lines import run as ingested

SINCE = datetime(2020, 8, 10, tzinfo=UTC)
LISTED = datetime(2020, 8, 11, 6, tzinfo=UTC)
"""When SOL-USDT begins at the sandbox, as it did at Binance."""
NOW = datetime(2020, 8, 15, 12, 0, 30, tzinfo=UTC)
GONE = datetime(2020, 8, 14, tzinfo=UTC)
BACK = datetime(2020, 8, 20, tzinfo=UTC)
END = datetime(2020, 9, 1, tzinfo=UTC)
SERIES = "binance/SOL-USDT/1h"
KLINES, LIST = "/api/v3/klines", "/api/v3/exchangeInfo"
LISTINGS_NOTED = "select listed_at, delisted_at from warehouse.series"
CHANGES = """
    select field, old_value, new_value from market.instrument_changes
    where instrument = 'SOL-USDT' order by changed_at, field
"""


@dataclass
class Scene:
    """One series of hours at a venue with a clock, which is ours as well."""

    line: Line
    venue: Sandbox
    clock: list[datetime] = field(default_factory=lambda: [NOW])

    def read(self, after: timedelta = timedelta(), *, only_due: bool = False) -> CalendarRead:
        """Read the calendar so much later than the last time."""
        self.clock[0] += after
        return read_calendar(self.line, self.clock[0], only_due=only_due)

    def ingest(self, end: datetime = END) -> None:
        """Bring all up to date that opened before an instant."""
        ingested(self.line, Window(SINCE, end), self.clock[0])

    def missing(self) -> Runs:
        """What the ledger lacks."""
        return missing(self.line, self.clock[0], Window(SINCE, END)).get(SERIES, Runs())

    def noted(self) -> tuple[datetime | None, datetime | None]:
        """When the series begins and ends, as far as is known."""
        ((listed_at, delisted_at),) = store_of(self.line).select(LISTINGS_NOTED)
        return listed_at, delisted_at

    def changes(self) -> list[tuple[str, str | None, str | None]]:
        """What was noted of the instrument, in order."""
        return [(str(name), old, new) for name, old, new in store_of(self.line).select(CHANGES)]

    def asked(self) -> list[str]:
        """The paths that the venue was asked for since the last time."""
        paths = [request.path.removeprefix("/binance") for request in self.venue.requests()]
        self.venue.clear_requests()
        return paths


@pytest.fixture
def scene(make_line: Lines) -> Iterator[Scene]:
    """The scene, some days after the listing."""
    clock = [NOW]
    with running(SandboxSettings(weight_limit=None, clock=lambda: clock[0])) as venue:
        line = with_provider(make_line(SINCE, "SOL-USDT", interval="1h"), base_url=venue.base_url())
        yield Scene(line, venue, clock)


def printed(moment: datetime) -> str:
    """As changes are noted."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def test_series_begins_with_its_first_candle(scene: Scene) -> None:
    """What lies before the listing is explained and never asked for; the first row is the first candle."""
    done = scene.read()
    scene.ingest()
    listed = sum(listing.listed_at <= NOW for listing in LISTINGS)

    assert CalendarRead({"binance": listed}, 0, 1, {}) == done
    assert (LISTED, None) == scene.noted()
    assert [(SINCE, LISTED, "not_listed_yet")] == explanations(scene.line)
    assert LISTED == store_of(scene.line).rows()[0][0]
    assert not scene.missing()
    assert [] == scene.changes()


def test_hole_before_the_listing_is_closed_by_reading_it_later(scene: Scene) -> None:
    """Whoever ingests before the calendar was read has a hole; the calendar explains it all the same."""
    scene.ingest()
    hole = scene.missing()
    scene.read()

    assert Runs((Window(SINCE, LISTED),)) == hole
    assert not scene.missing()
    assert [(SINCE, LISTED, "not_listed_yet")] == explanations(scene.line)


def test_series_that_began_long_before_is_expected_since_the_wish(
    scene: Scene, make_line: Lines
) -> None:
    """A listing before the first day kept explains nothing."""
    scene.line = with_provider(
        make_line(SINCE, "BTC-USDT", interval="1h"), base_url=scene.venue.base_url()
    )
    scene.read()

    assert (datetime(2017, 8, 17, 4, tzinfo=UTC), None) == scene.noted()
    assert [] == explanations(scene.line)


def test_list_and_first_candle_are_a_request_each_and_logged(scene: Scene) -> None:
    """Reading costs two requests for one series, and both are in the fetch log."""
    scene.read()
    logged = "select path, series from warehouse.fetches order by fetch_id"

    assert [LIST, KLINES] == scene.asked()
    assert [(LIST, None), (KLINES, SERIES)] == store_of(scene.line).select(logged)


def delist(scene: Scene) -> None:
    """Have the venue end the series as of GONE, until BACK, and notice it."""
    scene.venue.order(f"delisted:SOLUSDT:{GONE:%Y-%m-%d}/{BACK:%Y-%m-%d}")
    scene.read()
    scene.ingest()
    scene.read()


@pytest.mark.parametrize(("kind", "status"), [("delisted", "halted"), ("unlisted", "gone")])
def test_series_ends_with_its_last_candle(scene: Scene, kind: str, status: str) -> None:
    """Once the list says it is over and a day went by, nothing is expected any more, and why is told."""
    scene.clock[0] = GONE + MINUTE
    scene.read()
    scene.ingest()
    scene.venue.order(f"{kind}:SOLUSDT:{GONE:%Y-%m-%d}/{BACK:%Y-%m-%d}")
    scene.read(2 * HOUR)
    scene.ingest()
    early = scene.noted()
    scene.read(DAY)
    told = [(start, reason) for start, _, reason in explanations(scene.line)]

    assert (LISTED, None) == early
    assert (LISTED, GONE) == scene.noted()
    assert not scene.missing()
    assert [(SINCE, "not_listed_yet"), (GONE, "delisted")] == told
    assert [
        ("status", "trading", status),
        ("delisted_at", None, printed(GONE)),
    ] == scene.changes()
    assert GONE - HOUR == store_of(scene.line).rows()[-1][0]


def test_ended_series_is_left_in_peace(scene: Scene) -> None:
    """After its end no run asks for it, and reading again finds the same."""
    delist(scene)
    scene.asked()
    scene.ingest()
    asked = scene.asked()
    scene.read(DAY)

    assert [] == asked
    assert (LISTED, GONE) == scene.noted()
    assert [("delisted_at", None, printed(GONE))] == scene.changes()


def test_halted_series_with_newer_candles_goes_on(scene: Scene) -> None:
    """While the venue has candles that we have not fetched yet, the series is not over."""
    scene.venue.order(f"delisted:SOLUSDT:{GONE:%Y-%m-%d}/{BACK:%Y-%m-%d}")
    scene.ingest(GONE - DAY)
    scene.read()
    early = scene.noted()
    scene.ingest()
    scene.read()

    assert ((LISTED, None), (LISTED, GONE)) == (early, scene.noted())


def test_series_that_trades_again_is_expected_again(scene: Scene) -> None:
    """The days without a row are an outage then, and the new ones come."""
    delist(scene)
    ended = scene.noted()
    scene.read(BACK + DAY - NOW)
    scene.ingest()
    scene.clock[0] += 6 * MINUTE
    scene.ingest()

    assert (LISTED, GONE) == ended
    assert (LISTED, None) == scene.noted()
    assert [
        (SINCE, LISTED, "not_listed_yet"),
        (GONE, BACK, "venue_outage"),
    ] == explanations(scene.line)
    assert ("delisted_at", printed(GONE), None) in scene.changes()
    assert not scene.missing()


@pytest.mark.parametrize(
    ("fault", "name", "paths"),
    [
        ("500", "binance", [LIST] * FEW_ATTEMPTS),
        ("451", "binance", [LIST]),
        ("garbage:path=/binance/api/v3/klines", SERIES, [LIST] + [KLINES] * FEW_ATTEMPTS),
        ("cut_body:SOLUSDT", SERIES, [LIST] + [KLINES] * FEW_ATTEMPTS),
    ],
)
def test_failure_is_noted_and_leaves_what_was_known(
    scene: Scene, fault: str, name: str, paths: list[str]
) -> None:
    """The venue is asked few times, the failure is told by name, and beginning and end stay as they were."""
    delist(scene)
    known = scene.noted()
    scene.asked()
    scene.venue.order(fault)
    done = scene.read(DAY)

    assert [name] == list(done.failures)
    assert (0, 0) == (done.series, done.changes)
    assert known == scene.noted()
    assert paths == scene.asked()


def test_failed_reading_is_due_again(scene: Scene) -> None:
    """What could not be asked is asked by the next run, and not a day later."""
    scene.venue.order("500")
    scene.read(only_due=True)
    scene.venue.clear_faults()
    scene.asked()
    scene.read(MINUTE, only_due=True)

    assert [LIST, KLINES] == scene.asked()
    assert (LISTED, None) == scene.noted()


def test_nothing_is_asked_twice_a_day(scene: Scene) -> None:
    """A run within a day of the last reading costs nothing; after it, or when the clock went back, it asks."""
    scene.read(only_due=True)
    scene.asked()
    counts = []
    for after in (HOUR, READ_EVERY - HOUR, MINUTE, -30 * DAY):
        scene.read(after, only_due=True)
        counts.append(len(scene.asked()))

    assert [0, 0, 2, 2] == counts


def test_new_series_is_asked_for_alone(scene: Scene, make_line: Lines) -> None:
    """A series that is added is due at once; the list and the others are not."""
    scene.read(only_due=True)
    scene.asked()
    scene.line = with_provider(
        make_line(SINCE, "SOL-USDT", "BTC-USDT", interval="1h"), base_url=scene.venue.base_url()
    )
    done = scene.read(HOUR, only_due=True)
    (request,) = scene.venue.requests()

    assert (1, "BTCUSDT") == (done.series, request.query["symbol"])


def test_empty_answer_changes_nothing(scene: Scene) -> None:
    """No first candle is no news, whether a beginning was known or not."""
    scene.venue.order("empty_page")
    scene.read()
    unknown = scene.noted()
    scene.venue.clear_faults()
    scene.read()
    scene.venue.order("empty_page")
    scene.read()

    assert (None, None) == unknown
    assert (LISTED, None) == scene.noted()
    assert [] == scene.changes()


@pytest.mark.parametrize("what", [Scene.read, Scene.ingest], ids=["by the calendar", "by rows"])
def test_series_never_begins_later_than_was_known(
    scene: Scene, what: Callable[[Scene], object]
) -> None:
    """A venue that has lost its first days does not make us expect less."""
    what(scene)
    scene.venue.order(f"outage:SOLUSDT:{SINCE:%Y-%m-%d}/{GONE:%Y-%m-%d}")
    scene.read(DAY)

    assert (LISTED, None) == scene.noted()
    assert [] == scene.changes()


def test_earlier_first_candle_makes_the_days_before_missing(scene: Scene) -> None:
    """History that a venue adds is expected from then on, fetched, and noted as a change."""
    scene.venue.order(f"outage:SOLUSDT:{SINCE:%Y-%m-%d}/{GONE:%Y-%m-%d}")
    scene.read()
    scene.ingest()
    later = scene.noted()
    scene.venue.clear_faults()
    scene.read()
    scene.ingest()

    assert ((GONE, None), (LISTED, None)) == (later, scene.noted())
    assert [("listed_at", printed(GONE), printed(LISTED))] == scene.changes()
    assert LISTED == store_of(scene.line).rows()[0][0]


def test_unknown_symbol_is_no_failure_of_the_calendar(scene: Scene, make_line: Lines) -> None:
    """What the venue never listed begins and ends nowhere; fetching will tell that it is unknown."""
    scene.line = with_provider(
        make_line(SINCE, "NOSUCH-USDT", interval="1h"), base_url=scene.venue.base_url()
    )
    done = scene.read()

    assert ({}, 1) == (done.failures, done.series)
    assert (None, None) == scene.noted()


def test_venue_with_a_short_memory_is_not_asked_for_the_beginning(scene: Scene) -> None:
    """Its oldest candle is no listing."""
    scene.line = with_candles(scene.line, depth=DAY)
    scene.read()

    assert [LIST] == scene.asked()
    assert (None, None) == scene.noted()


@pytest.mark.parametrize("change", ["ascending", "limit_counts_rows"])
def test_beginning_is_searched_for_once(scene: Scene, change: str) -> None:
    """Where one row is not the answer, what was found once is not searched for again."""
    scene.line = with_candles(scene.line, **{change: False})
    scene.read()
    asked = scene.asked()
    scene.read(DAY)

    assert (LISTED, None) == scene.noted()
    assert 1 < asked.count(KLINES) <= 12
    assert [LIST] == scene.asked()


def test_venue_without_a_list_is_asked_for_the_beginning_alone(scene: Scene) -> None:
    """No list is no failure; what the first candle tells is noted."""
    scene.line = with_provider(scene.line, instruments=None)

    assert CalendarRead({}, 0, 1, {}) == scene.read()
    assert [KLINES] == scene.asked()
    assert (LISTED, None) == scene.noted()
