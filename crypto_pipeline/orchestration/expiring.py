"""Months that are no longer kept as an asset: dropped every night, after it was said what goes."""

import dagster as dg

from crypto_pipeline.market.datasets import DATASETS
from crypto_pipeline.orchestration.resources import Pipeline
from crypto_pipeline.warehouse.retention import Expired, OldMonth, expire, expiring

NAME = "expired_months"


def expired_months() -> dg.AssetsDefinition:
    """The asset that drops what has its time behind it; safe to materialize again."""

    @dg.asset(
        name=NAME,
        group_name="market",
        kinds={"python", "postgres"},
        description=(
            "Whole months that are no longer kept (settings `retention`), dropped with what was noted of "
            "them; market.coverage tells their slots as expired.\n\n"
            "**Grain:** one partition a dataset and month."
        ),
        metadata={"dagster/table_name": "market.coverage"},
    )
    def asset(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult[None]:
        done = {
            name: _expire(context, pipeline, name)
            for name in DATASETS
            if name in pipeline.line.retention
        }
        months = [one for found in done.values() for one in found.dropped]
        return dg.MaterializeResult(
            metadata={
                "months": len(months),
                "rows": sum(one.rows for one in months),
                "bytes": sum(one.bytes for one in months),
                "dropped": {name: _named(found.dropped) for name, found in done.items()},
                "in_use": {name: _named(found.in_use) for name, found in done.items()},
            }
        )

    return asset


def _expire(context: dg.AssetExecutionContext, pipeline: Pipeline, name: str) -> Expired:
    """Have a dataset begin where it is kept from, say what goes, and drop it."""
    dataset, line, now = DATASETS[name], pipeline.line, pipeline.now()
    keeping = line.keeping(dataset, now)
    assert keeping is not None
    line.register(now, dataset)
    for one in expiring(line.database, keeping):
        context.log.info(f"{name} {one.month:%Y-%m} goes: {one.rows:,} rows, {one.bytes:,} bytes")
    return expire(line.database, keeping)


def _named(months: list[OldMonth]) -> list[str]:
    return [f"{one.month:%Y-%m}" for one in months]
