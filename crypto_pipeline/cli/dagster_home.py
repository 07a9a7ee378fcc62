"""Where Dagster finds its instance: the directory, the storage's address, the environment for both."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from crypto_pipeline.bootstrap import open_database
from crypto_pipeline.errors import UnreachableError
from crypto_pipeline.settings import Settings

SCHEMA = "dagster"
EVENTS_AT_ONCE = "500"
"""A run's events of a year's days are stored together."""
_PACKAGE = Path(__file__).parents[1]


def dagster_environment(settings: Settings) -> dict[str, str]:
    """What a Dagster process needs to be told; makes the directories. The database must be running."""
    home = settings.data_dir.resolve() / "dagster"
    artifacts = home / "artifacts"
    artifacts.mkdir(parents=True, exist_ok=True)
    _copy(_instance_file(), home / "dagster.yaml")
    return {
        "DAGSTER_HOME": str(home),
        "DAGSTER_ARTIFACTS_DIR": str(artifacts),
        "DAGSTER_POSTGRES_URL": storage_url(open_database(settings).url),
        "DAGSTER_EVENT_BATCH_SIZE": EVENTS_AT_ONCE,
    }


def storage_url(url: str) -> str:
    """The warehouse's address for Dagster: the psycopg2 driver by name, and a schema of its own.

    A bare ``postgresql://`` means psycopg 3 to SQLAlchemy 2.1, with which dagster-postgres loses
    every event.
    """
    address, _, query = url.partition("?")
    options = quote(f"-csearch_path={SCHEMA}", safe="")
    joined = f"{query}&options={options}" if query else f"options={options}"
    return f"postgresql+psycopg2://{address.partition('://')[2]}?{joined}"


def workspace(home: Path, host: str, port: int) -> Path:
    """A workspace file for one code server that webserver and daemon share."""
    file = home / "workspace.yaml"
    lines = (
        "load_from:",
        "  - grpc_server:",
        f"      host: {host}",
        f"      port: {port}",
        "      location_name: crypto_pipeline",
    )
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _copy(source: Path, target: Path) -> None:
    """Another process may be reading the target: it finds the old or the new one, whole."""
    beside = target.with_suffix(f".{os.getpid()}")
    shutil.copyfile(source, beside)
    beside.replace(target)


def _instance_file() -> Path:
    """``dagster.yaml``: at the root of a checkout, or carried by the package."""
    for place in (_PACKAGE.parent, _PACKAGE):
        if (place / "dagster.yaml").is_file():
            return place / "dagster.yaml"
    msg = "dagster.yaml is missing beside the package: install it again"
    raise UnreachableError(msg)


def inherited(environment: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """The environment of a child process: ours, with what Dagster needs."""
    return {**environment, **dagster_environment(settings)}
