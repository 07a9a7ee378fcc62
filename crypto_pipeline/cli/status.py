"""``crypto-pipeline status``: how complete and how fresh the data is, and how the providers do."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from crypto_pipeline.bootstrap import open_database
from crypto_pipeline.cli.output import TableOrJson, lag_of, minute_of, print_object, print_table
from crypto_pipeline.market.datasets import DATASETS
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.revisions import require_migrated
from crypto_pipeline.warehouse.status import ProviderStatus, SeriesStatus, Status
from crypto_pipeline.warehouse.status import status as read_status

PROVIDERS_SPAN = timedelta(hours=1)
SERIES_COLUMNS = {
    "series": False,
    "complete": True,
    "expected": True,
    "present": True,
    "explained": True,
    "missing": True,
    "stuck": True,
    "newest (UTC)": False,
    "behind": True,
}
PROVIDER_COLUMNS = {
    "provider": False,
    "requests": True,
    "errors": True,
    "median ms": True,
    "last error": False,
}


def status(
    format_: Annotated[
        TableOrJson, typer.Option("--format", help="How to print it.")
    ] = TableOrJson.TABLE,
) -> None:
    """Show how complete and fresh the data is.

    Beside it: the database's size, and how the providers answered in the last hour.
    """
    database = require_migrated(open_database(load_settings()))
    now = datetime.now(UTC)
    found = read_status(database, list(DATASETS.values()), now, now - PROVIDERS_SPAN)
    if format_ is TableOrJson.JSON:
        print_object(_as_object(found, database.place))
    else:
        _print(found, database.place)


def completeness_pct(series: list[SeriesStatus]) -> float | None:
    """The share of the due slots that are there or explained; a missing slot never rounds to 100."""
    expected, missing = sum(one.expected for one in series), sum(one.missing for one in series)
    if not expected:
        return None
    percent = round(100 * (expected - missing) / expected, 2)
    return min(percent, 99.99) if missing else percent


def _print(found: Status, place: str) -> None:
    typer.echo(f"Database {place}: {found.size_bytes / 1e6:,.1f} MB")
    for name, rows in found.rows.items():
        series = [one for one in found.series if one.dataset == name]
        if not series:
            typer.echo(f"\n{name}: nothing has been collected yet")
        else:
            typer.echo(f"\n{name}: {_percent(series)} complete, about {rows:,} rows\n")
            _print_series(series)
    typer.echo(
        "\nProviders in the last hour\n" if found.providers else "\nNo requests in the last hour"
    )
    if found.providers:
        right = {column for column, is_right in PROVIDER_COLUMNS.items() if is_right}
        print_table(list(PROVIDER_COLUMNS), map(_provider_row, found.providers), right)


def _print_series(series: list[SeriesStatus]) -> None:
    """Slots are stuck where something is wrong: only then are they a column, and a sentence."""
    stuck = sum(one.stuck for one in series)
    columns = [name for name in SERIES_COLUMNS if stuck or name != "stuck"]
    right = {name for name in columns if SERIES_COLUMNS[name]}
    print_table(columns, ([_series_row(one)[name] for name in columns] for one in series), right)
    if stuck:
        are = "slot is" if stuck == 1 else "slots are"
        typer.echo(f"\n{stuck:,} {are} stuck: crypto-pipeline gaps")


def _percent(series: list[SeriesStatus]) -> str:
    percent = completeness_pct(series)
    return "-" if percent is None else f"{percent:.2f} %"


def _series_row(one: SeriesStatus) -> dict[str, object]:
    return {
        "series": one.series,
        "complete": _percent([one]),
        "expected": f"{one.expected:,}",
        "present": f"{one.present:,}",
        "explained": f"{one.explained:,}",
        "missing": f"{one.missing:,}",
        "stuck": f"{one.stuck:,}",
        "newest (UTC)": minute_of(one.newest_slot),
        "behind": "no row yet" if one.lag is None else lag_of(one.lag),
    }


def _provider_row(one: ProviderStatus) -> list[object]:
    error = f"{one.last_error_at:%H:%M:%S} {one.last_error}" if one.last_error_at else None
    return [one.provider, f"{one.requests:,}", f"{one.errors:,}", one.median_ms, error]


def _as_object(found: Status, place: str) -> dict[str, object]:
    return {
        "database": {"place": place, "size_bytes": found.size_bytes},
        "datasets": list(_dataset_objects(found)),
        "providers": [asdict(one) for one in found.providers],
    }


def _dataset_objects(found: Status) -> Iterator[dict[str, object]]:
    for name, rows in found.rows.items():
        series = [one for one in found.series if one.dataset == name]
        yield {
            "dataset": name,
            "rows_estimate": rows,
            "completeness_pct": completeness_pct(series),
            "series": [_series_object(one) for one in series],
        }


def _series_object(one: SeriesStatus) -> dict[str, object]:
    lag = None if one.lag is None else int(one.lag.total_seconds())
    return {
        "series": one.series,
        "completeness_pct": completeness_pct([one]),
        "expected_slots": one.expected,
        "present_slots": one.present,
        "explained_slots": one.explained,
        "missing_slots": one.missing,
        "stuck_slots": one.stuck,
        "newest_slot": one.newest_slot,
        "lag_seconds": lag,
    }
