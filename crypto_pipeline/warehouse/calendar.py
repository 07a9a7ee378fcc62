"""The calendar: which series are expected, from when, until when; days are made ahead of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.series import CandleSeries, Series
from crypto_pipeline.market.windows import DAY
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.dataset_statements import row_statements
from crypto_pipeline.warehouse.statements import statements

AHEAD = 31 * DAY
"""How far ahead days are made, so that a stopped pipeline still shows what it misses."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is known of the first and the last slot of a series, and its oldest and newest row."""

    series: str
    since: datetime
    listed_at: datetime | None
    delisted_at: datetime | None
    read_at: datetime | None
    oldest: datetime | None
    newest: datetime | None


def register(
    database: Database,
    dataset: Dataset,
    series: Sequence[Series],
    since: datetime,
    now: datetime,
) -> dict[str, int]:
    """Make exactly these series the dataset's expected ones; ids by name. Safe to repeat.

    It is called before every run and by every tick, so where nothing is new it only reads.
    """
    if ids := _registered(database, dataset, series, since, now):
        return ids
    with database.connect() as connection, connection.transaction():
        connection.execute(statements("series")["lock_catalogue"], {"dataset": dataset.name})
        ids = {one.name: _register(connection, dataset, one, since) for one in series}
        parameters = {"dataset": dataset.name, "kept": list(ids.values())}
        connection.execute(statements("series")["deactivate_others"], parameters)
        _make_days(connection, dataset, list(ids.values()), now)
    return ids


def listings(database: Database, dataset: Dataset) -> list[Listing]:
    """What is known of when each active series begins and ends."""
    with database.connect() as connection:
        rows = connection.execute(row_statements(dataset)["listings"], {"dataset": dataset.name})
        return [Listing(*row) for row in rows]  # type: ignore[arg-type]


def listings_due(
    database: Database, dataset: Dataset, now: datetime, fresh_for: timedelta, soon: timedelta
) -> set[str]:
    """The active series whose listing was not read within a while; ``soon`` is for unsettled ends."""
    parameters = {"dataset": dataset.name, "now": now, "fresh_for": fresh_for, "soon": soon}
    with database.connect() as connection:
        rows = connection.execute(statements("series")["listings_due"], parameters)
        return {str(name) for (name,) in rows}


def note_listings(
    database: Database, dataset: Dataset, found: Sequence[Listing], now: datetime
) -> None:
    """Take note of when series begin and end; what is expected of their days follows."""
    with database.connect() as connection, connection.transaction():
        connection.execute(statements("series")["lock_catalogue"], {"dataset": dataset.name})
        for one in found:
            parameters = {
                "dataset": dataset.name,
                "name": one.series,
                "listed_at": one.listed_at,
                "delisted_at": one.delisted_at,
                "now": now,
            }
            connection.execute(statements("series")["log_listing"], parameters)
            connection.execute(statements("series")["note_listing"], parameters)
        rows = connection.execute(
            statements("series")["active_ids"], {"dataset": dataset.name}
        ).fetchall()
        _make_days(connection, dataset, [int(str(series_id)) for (series_id,) in rows], now)


def _make_days(
    connection: Connection, dataset: Dataset, series_ids: list[int], now: datetime
) -> None:
    parameters = {"dataset": dataset.name, "until": (now + AHEAD).date()}
    connection.execute(statements("series")["lock_series"], {"series_ids": series_ids})
    connection.execute(statements("series")["extend_calendar"], parameters)
    connection.execute(statements("series")["retract_calendar"], parameters)


def _registered(
    database: Database,
    dataset: Dataset,
    series: Sequence[Series],
    since: datetime,
    now: datetime,
) -> dict[str, int] | None:
    """The ids by name when exactly these series are expected already, as far ahead as yesterday."""
    wanted = {(one.name, _first_slot(one, since), _grace(one, dataset), True) for one in series}
    parameters = {"dataset": dataset.name, "enough": (now + AHEAD - DAY).date()}
    with database.connect() as connection:
        rows = connection.execute(statements("series")["active_series"], parameters).fetchall()
    known = {(name, starts_at, grace, is_ahead) for _, name, starts_at, grace, is_ahead in rows}
    return {str(name): int(str(one)) for one, name, *_ in rows} if known == wanted else None


def _register(connection: Connection, dataset: Dataset, series: Series, since: datetime) -> int:
    interval = series.interval
    row = connection.execute(
        statements("series")["register_series"],
        {
            "dataset": dataset.name,
            "name": series.name,
            "venue": series.venue if isinstance(series, CandleSeries) else None,
            "instrument": str(series.instrument) if isinstance(series, CandleSeries) else None,
            "interval": interval.name,
            "step": interval.step,
            "anchor": interval.anchor,
            "grace": _grace(series, dataset),
            "since": _first_slot(series, since),
        },
    ).fetchone()
    assert row is not None
    return int(str(row[0]))


def _first_slot(series: Series, since: datetime) -> datetime:
    return series.interval.ceil(since.astimezone(UTC))


def _grace(series: Series, dataset: Dataset) -> timedelta:
    return dataset.grace if series.grace is None else series.grace
