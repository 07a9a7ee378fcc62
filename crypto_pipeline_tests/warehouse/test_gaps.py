"""The holes that people see, cut to the window they ask about."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.gaps import Gap, expects_anything, gaps
from crypto_pipeline.warehouse.ledger import Ledger

SINCE = datetime(2024, 2, 28, tzinfo=UTC)
HOURLY = Interval.parse("1h")
SERIES = Series("binance", Instrument("BTC", "USDT"), HOURLY)
DAYS = Window(SINCE, SINCE + 3 * DAY)
minutes = st.integers(0, 3 * 24 * 60).map(lambda number: SINCE + timedelta(minutes=number))


def register(database: Database) -> None:
    """Have the ledger expect one hourly series, of which nothing is there."""
    Ledger(database).register(OHLC, [SERIES], SINCE, DAYS.end)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(st.tuples(minutes, minutes).filter(lambda ends: ends[0] < ends[1]))
def test_window_cuts_holes_to_the_slots_that_open_in_it(
    database: Database, ends: tuple[datetime, datetime]
) -> None:
    """However its ends lie to the grid: each slot belongs to the window in which it opens."""
    register(database)
    window = Window(*ends)
    opens = list(HOURLY.opens(window))
    expected = [(opens[0], opens[-1] + HOURLY.step, len(opens))] if opens else []

    assert expected == [
        (gap.gap_start, gap.gap_end, gap.slots) for gap in gaps(database, window, OHLC)
    ]


def test_holes_of_all_datasets_have_their_names(database: Database) -> None:
    """Without a dataset, every dataset's; each says whose it is and that nobody asked."""
    register(database)
    gap = Gap("ohlc", SERIES.name, DAYS.start, DAYS.end, 72, "missing", None)

    assert [gap] == gaps(database, DAYS)


def test_empty_ledger_expects_nothing(database: Database) -> None:
    """No holes because nothing is expected is another thing than none because all is there."""
    before = expects_anything(database), gaps(database, DAYS)
    register(database)

    assert (False, []) == before
    assert expects_anything(database, OHLC)
