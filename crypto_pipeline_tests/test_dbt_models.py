"""The dbt models, built by the real dbt on a real warehouse."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.conftest import REPOSITORY
from crypto_pipeline_tests.warehouse.pricing import Exchange

DBT = Path(sys.executable).parent / "dbt"


def _build(database: Database, project: Path) -> str:
    shutil.copytree(REPOSITORY / "dbt_models", project, ignore=shutil.ignore_patterns("target"))
    done = subprocess.run(
        [DBT, "--no-use-colors", "build", "--project-dir", project, "--profiles-dir", project],
        env=os.environ | database.client_environment | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.skipif(not DBT.exists(), reason="dbt is not installed here")
def test_daily_candles_equal_the_venues_own(
    make_line: Callable[..., Line], sandbox: Sandbox, database: Database, tmp_path: Path
) -> None:
    """Days made from hours are what the venue says of the same days; today is not called complete."""
    now = datetime.now(UTC)
    since = midnight((now - 3 * DAY).date())
    ingest(make_line(since, interval="1h"), Window(since, now), now=now)
    Exchange(database).price("100")

    told = _build(database, tmp_path / "dbt")

    wanted = {"symbol": "BTCUSDT", "interval": "1d", "startTime": int(since.timestamp() * 1000)}
    venue = httpx.get(f"{sandbox.base_url()}/api/v3/klines", params=wanted).json()
    with database.connect() as connection:
        mart = connection.execute(
            "select day, open, high, low, close, volume, quote_volume, trade_count, is_complete "
            "from marts.candles_1d order by day"
        ).fetchall()
    expected = [
        (
            (since + timedelta(days=n)).date(),
            *map(Decimal, row[1:6]),
            Decimal(row[7]),
            row[8],
            True,
        )
        for n, row in enumerate(venue[:3])
    ]
    assert mart[:3] == expected
    assert [row[-1] for row in mart[3:]] in ([], [False])
    assert "ERROR=0" in told
