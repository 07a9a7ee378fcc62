"""The calendar as an asset: what the venues list, and when our series begin and end."""

import dagster as dg

from crypto_pipeline.ingestion.listings import CalendarRead, read_calendar
from crypto_pipeline.ingestion.reissuing import reissued
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.orchestration.resources import Pipeline

NAME = "instruments"
COLUMNS = {
    "venue": ("text", "the exchange"),
    "instrument": ("text", "BASE-QUOTE"),
    "symbol": ("text", "as the venue spells it"),
    "status": ("text", "trading; halted: listed and not trading; gone: no longer listed"),
    "first_seen_at": ("timestamptz", "the first list we read that held it (UTC)"),
    "last_seen_at": ("timestamptz", "the newest list that held it (UTC)"),
    "listed_at": ("timestamptz", "its first candle (UTC), where it is collected"),
    "delisted_at": ("timestamptz", "the end of its last candle (UTC), when it is over"),
    "is_collected": ("boolean", "whether its candles are collected"),
}


def instruments(dataset: Dataset) -> dg.AssetsDefinition:
    """The asset that reads the calendar a dataset's expectations follow; safe to materialize again."""

    @dg.asset(
        name=NAME,
        group_name="market",
        kinds={"python", "postgres"},
        description=(
            "What each venue lists, with renames, halts and delistings kept, and when each series "
            "begins and ends: what is expected of it follows.\n\n"
            "**Grain:** one row per venue and instrument."
        ),
        metadata={
            "dagster/table_name": "market.instruments",
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    dg.TableColumn(name, type_, told) for name, (type_, told) in COLUMNS.items()
                ]
            ),
        },
    )
    def asset(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult[None]:
        done = read_calendar(pipeline.line, pipeline.now(), dataset)
        _read_again(context, pipeline)
        _raise_if_all_failed(done)
        return dg.MaterializeResult(metadata=_metadata(done))

    return asset


def read_if_due(context: dg.AssetExecutionContext, pipeline: Pipeline, dataset: Dataset) -> None:
    """Read the calendar on the way to its dataset where it is a day old, and have the page show it."""
    done = read_calendar(pipeline.line, pipeline.now(), dataset, only_due=True)
    if done.instruments:
        context.log_event(dg.AssetMaterialization(NAME, metadata=_metadata(done)))


def _read_again(context: dg.AssetExecutionContext, pipeline: Pipeline) -> None:
    """Re-read the bulk files that were issued anew, and have the run's log say so."""
    again = reissued(pipeline.line, pipeline.now(), context.run_id)
    if again.files:
        rows = f"{again.stored.updated:,} rows changed and {again.stored.inserted:,} are new"
        context.log.info(f"{again.files} bulk files were issued anew and read again: {rows}")
    for name, why in again.failures.items():
        context.log.warning(f"{name}: {why}")


def _metadata(done: CalendarRead) -> dict[str, int | str]:
    failures = _failures(done)
    return {
        "dagster/row_count": sum(done.instruments.values()),
        "changes": done.changes,
        "series_asked": done.series,
        **({"failures": failures} if failures else {}),
    }


def _raise_if_all_failed(done: CalendarRead) -> None:
    if done.failures and not done.instruments and not done.series:
        msg = f"no venue could be asked: {_failures(done)}"
        raise dg.Failure(msg, allow_retries=False)


def _failures(done: CalendarRead) -> str:
    return "; ".join(f"{name}: {why}" for name, why in done.failures.items())
