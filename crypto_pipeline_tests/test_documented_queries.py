"""Queries that are written down for users, in the guide and the dashboard: all are answered."""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from crypto_pipeline.bootstrap import open_line
from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.news import ingest_news
from crypto_pipeline.market.datasets import DATASETS, NEWS
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.sandbox.server import running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.reader import Reader
from crypto_pipeline_tests.conftest import REPOSITORY

GUIDE = REPOSITORY / "docs" / "sql.md"
BOARD: dict[str, Any] = json.loads(
    (REPOSITORY / "deploy" / "grafana" / "crypto-pipeline.json").read_text(encoding="utf-8")
)
START, END = "(now() - interval '1 day')", "now()"
CHOSEN = {"$venue": "binance", "$instrument": "BTC-USDT", "$interval": "1h"}
MAYBE_EMPTY = ("Open holes", "Latency", "Requests a minute", "Providers", "Gas")
DBT = Path(sys.executable).parent / "dbt"


@pytest.fixture(scope="module")
def filled(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A day of every dataset from the sandbox, with its marts, as a reader sees it."""
    name = f"filled_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        told = map(sql.Identifier, (name, template))
        admin.execute(sql.SQL("create database {} template {}").format(*told))
    database = Database(server_url.rpartition("/")[0] + f"/{name}")
    now = datetime.now(UTC)
    with running(SandboxSettings(weight_limit=None)) as sandbox:
        line = open_line(
            load_settings(
                {
                    "CRYPTO_PIPELINE_DATABASE_URL": database.url,
                    "CRYPTO_PIPELINE_DATA_DIR": str(tmp_path_factory.mktemp("data")),
                    "CRYPTO_PIPELINE_SINCE": str((now - DAY).date()),
                    "CRYPTO_PIPELINE_OHLC__INSTRUMENTS": "BTC-USDT,ETH-USDT",
                    **{
                        f"CRYPTO_PIPELINE_PROVIDERS__{one.upper()}__{key}": value
                        for one in PROVIDERS
                        for key, value in (
                            ("BASE_URL", sandbox.base_url(one)),
                            ("LIMITS__WEIGHT_PER_MINUTE", "1000000"),
                        )
                    },
                }
            )
        )
        for dataset in DATASETS.values():
            collect = ingest_news if dataset == NEWS else ingest
            collect(line, Window(now - DAY, now), now=now, dataset=dataset)
    project = REPOSITORY / "dbt_models"
    place = tmp_path_factory.mktemp("dbt")
    where = ("--project-dir", project, "--profiles-dir", project, "--target-path", place)
    subprocess.run(
        (DBT, "-q", "run", *where, "--log-path", place),
        env=os.environ | database.client_environment,
        check=True,
    )
    reader = Reader(database)
    reader.grant("30s", "read")
    return Database(reader.address("read"))


def asked(database: Database, query: str) -> tuple[list[str], list[Any]]:
    """The columns and rows of an answer."""
    with database.connect() as connection:
        found = connection.execute(query.encode())
        return [column.name for column in found.description or []], found.fetchall()


def panels() -> Iterator[Any]:
    """Each query of the dashboard by the panel or variable that it is of."""
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            yield pytest.param(panel["title"], target["rawSql"], id=panel["title"])
    for variable in BOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield pytest.param(variable["label"], variable["query"], id=variable["label"])


def filled_in(query: str) -> str:
    """The query as Grafana sends it: its own words replaced by what was chosen."""
    query = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 between {START} and {END}", query)
    query = query.replace("$__timeFrom()", START).replace("$__timeTo()", END)
    for name, value in CHOSEN.items():
        query = query.replace(name, value)
    assert "$" not in query, query
    return query


@pytest.mark.parametrize(("title", "query"), panels())
def test_every_panel_is_answered(filled: Database, title: str, query: str) -> None:
    """With the warehouse's own names and types, and with the columns that its kind of panel needs."""
    names, rows = asked(filled, filled_in(query))
    kind = next((one["type"] for one in BOARD["panels"] if one["title"] == title), "")

    assert names
    assert rows or title in MAYBE_EMPTY
    assert kind not in ("timeseries", "candlestick") or names[0] == "time"


def test_every_panel_says_what_it_shows() -> None:
    """A title and a sentence; no two of them lie over each other."""
    places = [
        (x, y)
        for panel in BOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert [] == [panel["title"] for panel in BOARD["panels"] if not panel["description"]]
    assert len(places) == len(set(places))


def worked() -> Iterator[Any]:
    """The guide's queries, each by the words before it."""
    text = GUIDE.read_text(encoding="utf-8")
    for told, query in re.findall(r"\*\*([^*]+)\*\*[^*]*?```sql\n(.+?)```", text, re.DOTALL):
        yield pytest.param(query, id=told)


@pytest.mark.parametrize("query", worked())
def test_every_worked_query_is_answered(filled: Database, query: str) -> None:
    """As it stands, on a warehouse of a day."""
    names, _ = asked(filled, query)

    assert names


def test_the_guide_works_out_a_dozen() -> None:
    """And none of its SQL escapes these tests."""
    count = GUIDE.read_text(encoding="utf-8").count("```sql")

    assert count >= 12
    assert count == len(list(worked()))
