"""How long the marts take in a run of Dagster, beside a year of five instruments' minutes.

A whole year at first, then today alone, then a day of last year: each in a process of its own, as
the daemon starts one, from its start to its end. Run alone with ``python -m benchmarks.marts``.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.filling import SERIES, fill
from benchmarks.table import judge, show
from crypto_pipeline.cli.dagster_home import inherited
from crypto_pipeline.cli.up import program
from crypto_pipeline.market.windows import midnight
from crypto_pipeline.orchestration.dbt_project import project_in
from crypto_pipeline.settings import Settings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.server import EmbeddedServer

TODAY = datetime.now(UTC).date()
SINCE = TODAY - timedelta(days=365)
REPAIRED = SINCE + timedelta(days=100)
LIMIT = 15.0
MINUTES = 24 * 60


def main() -> None:
    """Fill a year, make its marts, and judge how long single days of it take after that."""
    with TemporaryDirectory() as directory, house(Path(directory)) as (settings, environment):
        began = perf_counter()
        project_in(settings.data_dir).parsed()
        rows = [("dbt reads the models, after a change", perf_counter() - began)]
        rows += [
            (told, made(environment, *days))
            for told, days in (
                ("the whole year", (SINCE, TODAY)),
                ("today", (TODAY, TODAY)),
                ("a day of last year", (REPAIRED, REPAIRED)),
            )
        ]
    show("marts: a run of Dagster's, seconds", ("", "s"), rows)
    for told, seconds in rows[2:]:
        judge(f"all marts of {told}", seconds, LIMIT, "s")


@contextmanager
def house(directory: Path) -> Iterator[tuple[Settings, dict[str, str]]]:
    """A warehouse with a year of candles, and the environment of a run in it."""
    server = EmbeddedServer(directory / "server", 0)
    try:
        settings = Settings.model_validate(
            {"data_dir": directory, "database_url": server.start(), "since": SINCE}
        )
        database = Database(server.url())
        upgrade(database)
        fill(database, len(SERIES) * MINUTES * 366, midnight(SINCE))
        with database.connect() as connection:
            connection.execute("vacuum analyze")
        prefix = "CRYPTO_PIPELINE_"
        yield (
            settings,
            inherited(os.environ, settings)
            | {
                f"{prefix}DATA_DIR": str(directory),
                f"{prefix}DATABASE_URL": database.url,
                f"{prefix}SINCE": str(SINCE),
            },
        )
    finally:
        server.stop()


def made(environment: dict[str, str], first: date, last: date) -> float:
    """Seconds from the start of the process that makes all marts of some days to its end."""
    days = ("--partition", str(last))
    if first < last:
        days = ("--partition-range", f"{first}...{last}")
    select = ("--select", "group:staging or group:marts")
    command = (program("dagster"), "asset", "materialize", "-m", "crypto_pipeline.definitions")
    began = perf_counter()
    done = subprocess.run(
        [*command, *select, *days], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return perf_counter() - began


if __name__ == "__main__":
    main()
