"""``status``: the whole picture in one look."""

import re
from datetime import UTC, datetime
from typing import Any

from crypto_pipeline.cli.status import completeness_pct
from crypto_pipeline.frames.articles import Article
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import DATASETS, NEWS
from crypto_pipeline.market.holes import Vain
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import ObservedSeries
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.news import ArticleBatch, ArticleRow, Source, store_articles
from crypto_pipeline.warehouse.status import SeriesStatus
from crypto_pipeline_tests.cli.commands import day, run, since
from crypto_pipeline_tests.warehouse.storing import Warehouse, hours


def status(environment: dict[str, str]) -> Any:
    """What ``status --format json`` says."""
    return run(environment, "status", "--format", "json").data


def test_each_series_is_counted(filled: dict[str, str]) -> None:
    """Two of the days since the first are there; the rest that is due is missing."""
    began = datetime.now(UTC)
    found = status(filled)["datasets"][0]
    series = found["series"][0]
    due = int((began - since(filled)).total_seconds()) // 3600

    assert ("ohlc", "binance/BTC-USDT/1h") == (found["dataset"], series["series"])
    assert series["expected_slots"] in (due, due + 1)
    assert (48, 0) == (series["present_slots"], series["explained_slots"])
    assert series["missing_slots"] == series["expected_slots"] - 48
    assert series["newest_slot"] == f"{day(filled, 1)}T23:00:00Z"
    assert series["lag_seconds"] == 3600 * (series["expected_slots"] - 48)


def test_rows_and_size_are_there(filled: dict[str, str], line: Line) -> None:
    """The estimate is close once Postgres has counted; the size is the database's."""
    with line.database.connect() as connection:
        connection.execute("analyze warehouse.ohlc")
    found = status(filled)

    assert found["datasets"][0]["rows_estimate"] == 96
    assert found["database"]["place"] == line.database.place
    assert found["database"]["size_bytes"] > 1_000_000


def test_providers_tell_how_the_last_hour_went(filled: dict[str, str], line: Line) -> None:
    """Requests, errors and the newest error; what is older than an hour is not counted."""
    with line.database.connect() as connection:
        connection.execute(
            "update warehouse.fetches set requested_at = now() - interval '1 minute'"
        )
        for minutes, error in ((2, "HTTP 503"), (1, "HTTP 429"), (70, "HTTP 500")):
            connection.execute(
                "insert into warehouse.fetches (requested_at, provider, host, path, series, asked,"
                " attempt, duration_ms, bytes, row_count, error_class, error) values (now() -"
                " make_interval(mins => %s), 'binance', '', '', '', 'empty', 1, 5, 0, 0, 'E', %s)",
                (minutes, error),
            )
        row = connection.execute(
            "select count(*) from warehouse.fetches where error is null"
        ).fetchone()
    (binance,) = status(filled)["providers"]

    assert row is not None
    assert (int(str(row[0])) + 2, 2) == (binance["requests"], binance["errors"])
    assert binance["last_error"] == "HTTP 429"
    assert binance["last_error_at"].endswith("Z")


def test_table_is_for_people(filled: dict[str, str]) -> None:
    """A line for the database, one for the dataset, one a series, one a provider."""
    done = run(filled, "status")

    assert (0, "") == (done.code, done.err)
    assert ["binance/BTC-USDT/1h", "binance/ETH-USDT/1h", "binance"] == [
        words[0] for words in done.table if words and words[0].startswith("binance")
    ]
    assert "complete, about" in done.out
    assert "stuck" not in done.out
    assert "\x1b" not in done.out


def test_stuck_slots_are_a_column_and_a_sentence(filled: dict[str, str], line: Line) -> None:
    """What no provider can fill stands beside what is missing, and the table says where to look."""
    third = line.since + 2 * DAY
    rejected = Vain("RequestRejected", "unknown symbol")
    Warehouse(line.database, line.series).ask_in_vain(hours(0, 7, third), third + DAY, rejected)
    done = run(filled, "status")
    (header,) = (words for words in done.table if words[:1] == ["series"])
    (btc,) = (words for words in done.table if words[:1] == ["binance/BTC-USDT/1h"])

    assert [7, 0] == [one["stuck_slots"] for one in status(filled)["datasets"][0]["series"]]
    assert "7 slots are stuck: crypto-pipeline gaps\n" in done.out
    # The percent sign is a word of its own.
    assert "7" == btc[header.index("stuck") + 1]


def test_empty_warehouse_says_so(settings_environment: dict[str, str]) -> None:
    """Nothing collected is neither complete nor an error, in no dataset."""
    done = run(settings_environment, "status")

    assert (0, "") == (done.code, done.err)
    assert [f"{name}: nothing has been collected yet" for name in DATASETS] == [
        line for line in done.out.splitlines() if "nothing" in line
    ]
    assert [(name, 0, None) for name in DATASETS] == [
        (one["dataset"], one["rows_estimate"], one["completeness_pct"])
        for one in status(settings_environment)["datasets"]
    ]


def test_news_have_rows_and_slots(settings_environment: dict[str, str], database: Database) -> None:
    """Though articles belong to no slot: the rows are articles, the slots are of each feed."""
    now = datetime.now(UTC)
    feed = ObservedSeries("news", "rss_decrypt", Interval.parse("15m"))
    ids = register(database, NEWS, [feed], now - DAY, now)
    told = Article("https://a.com/1", "Title", "A", now - DAY / 2, link="https://a.com/1")
    covered = Runs((Window(day := midnight(now.date()), day + feed.interval.step),))
    batch = ArticleBatch(ids[feed.name], feed.interval, [ArticleRow(told)], (), covered)
    store_articles(database, batch, Source(feed.name), now)
    with database.connect() as connection:
        connection.execute("analyze warehouse.articles")
    (news,) = (one for one in status(settings_environment)["datasets"] if one["dataset"] == "news")

    assert [("rss_decrypt", 1)] == [(one["series"], one["present_slots"]) for one in news["series"]]
    # An estimate: what a session wrote may be told to the statistics after they were counted.
    assert news["rows_estimate"] in {1, 2}
    assert re.search("complete, about [12] rows", run(settings_environment, "status").out)


def test_a_missing_slot_never_rounds_to_complete() -> None:
    """One slot in a million is 99.99 %, not 100."""
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def percent(missing: int) -> float | None:
        return completeness_pct([SeriesStatus("ohlc", "s", 10**6, 0, 0, missing, None, now)])

    assert (100.0, 99.99, 0.0) == (percent(0), percent(1), percent(10**6))
    assert completeness_pct([]) is None
