"""The status of a warehouse agrees with its public views."""

from datetime import UTC, datetime, timedelta

from crypto_pipeline.market.datasets import DATASETS, OHLC
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, midnight
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.status import SeriesStatus, status
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import BTC, SINCE, Warehouse

PATCHY = """
update warehouse.coverage
set
    present = case when day - current_date in (-9, -8, -5) then expected else '{}' end,
    explained = case
        when day - current_date in (-7, -6)
            then expected * case
                when series_id in (select series_id from warehouse.series where step <= '1 hour')
                    then tstzmultirange(tstzrange(day::timestamptz, day + interval '6 hours'))
                else '{(,)}'
            end
        else '{}'
    end
"""
ARTICLES = """
insert into warehouse.articles (
    url, title, publisher, published_at, asset_ids, first_seen_at, series_id, load_id
)
select 'https://a.com/' || number, 'Title', 'A', now(), '{}', now(), 2, 1
from generate_series(1, 3) as number
"""


def test_counts_agree_with_the_coverage_view(database: Database) -> None:
    """Joined first and counted then gives what counting day by day gives, for any interval."""
    now = datetime.now(UTC)
    names = ("1m", "1h", "1d", "3d")
    series = [
        CandleSeries("binance", Instrument("BTC", "USDT"), Interval.parse(name)) for name in names
    ]
    register(database, OHLC, series, midnight((now - 20 * DAY).date()), now)
    with database.connect() as connection:
        connection.execute(PATCHY)
        # now() is the transaction's: both must be asked about the same instant.
        days = connection.execute(
            "select series, sum(expected_slots), sum(present_slots), sum(explained_slots), "
            "sum(missing_slots), now() from market.coverage group by 1 order by 1"
        ).fetchall()
    found = status(database, [OHLC], days[0][5], now).series  # type: ignore[arg-type]

    assert [tuple(row[:5]) for row in days] == [
        (one.series, one.expected, one.present, one.explained, one.missing) for one in found
    ]


def test_rows_of_every_dataset_are_estimated(database: Database) -> None:
    """Whether its table has partitions or not; what was counted twice by Postgres is told once."""
    Warehouse(database, [BTC]).store(*(candle(SINCE + number * DAY) for number in range(5)))
    with database.connect() as connection:
        connection.execute(ARTICLES)
    with database.connect() as connection:
        connection.execute("analyze warehouse.ohlc, warehouse.articles")
    now = datetime.now(UTC)

    assert {
        "ohlc": 5,
        "market_prices": 0,
        "sentiment": 0,
        "gas_prices": 0,
        "news": 3,
    } == status(database, list(DATASETS.values()), now, now).rows


def test_newest_slot_is_where_the_newest_row_lies() -> None:
    """Nothing is behind when the newest due slot is there, and a row ahead of it is not a lag."""
    due = datetime(2026, 1, 1, tzinfo=UTC)

    def lag(newest: datetime | None) -> timedelta | None:
        return SeriesStatus("ohlc", "s", 0, 0, 0, 0, newest, due).lag

    assert (None, timedelta(), timedelta(hours=2), timedelta()) == (
        lag(None),
        lag(due),
        lag(due - timedelta(hours=2)),
        lag(due + timedelta(hours=1)),
    )
