"""The dbt project over a test's warehouse: the real dbt, and what it has made."""

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from psycopg import sql

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.conftest import REPOSITORY

DBT = Path(sys.executable).parent / "dbt"
MODELS = REPOSITORY / "dbt_models" / "models"
TIMES = ("day", "hour", "open_time")
Row = tuple[Any, ...]
Days = Mapping[date, set[Row]]


@dataclass(frozen=True)
class Marts:
    """The marts of a warehouse, built in a folder of their own."""

    database: Database
    project: Path

    def dbt(self, *arguments: str) -> str:
        """Have dbt do something; what it tells."""
        if not self.project.exists():
            ignored = shutil.ignore_patterns("target", "logs")
            shutil.copytree(REPOSITORY / "dbt_models", self.project, ignore=ignored)
        done = subprocess.run(
            [DBT, "--no-use-colors", *arguments, "--profiles-dir", self.project],
            env=os.environ | self.database.client_environment,
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def select(self, statement: str) -> list[Row]:
        """What a query answers."""
        with self.database.connect() as connection:
            return connection.execute(statement).fetchall()

    def by_day(self) -> dict[str, Days]:
        """All rows of each incremental mart, by the UTC day they are of."""
        names = (path.stem for path in MODELS.glob("marts/*.sql"))
        return {name: self._days(name) for name in names if name != "market_overview"}

    def _days(self, name: str) -> Days:
        with self.database.connect() as connection:
            found = connection.execute(
                sql.SQL("select * from {}").format(sql.Identifier("marts", name))
            )
            columns = [column.name for column in found.description or ()]
            time = next(columns.index(one) for one in TIMES if one in columns)
            days = defaultdict(set)
            for row in found.fetchall():
                days[_day(row[time])].add(row)
        return days


def changed(
    before: Mapping[str, Days], after: Mapping[str, Days], until: date
) -> dict[str, list[date]]:
    """The days before one whose rows are not what they were, by mart; a mart without one is left out."""
    found = {
        name: sorted(
            day
            for day in {*days, *after[name]}
            if day < until and days.get(day) != after[name].get(day)
        )
        for name, days in before.items()
    }
    return {name: days for name, days in found.items() if days}


def _day(time: Any) -> date:
    return time.astimezone(UTC).date() if isinstance(time, datetime) else time
