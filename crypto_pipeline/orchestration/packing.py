"""Old months of candles as an asset: packed every night, and how much room that gave back."""

import dagster as dg

from crypto_pipeline.orchestration.resources import Pipeline
from crypto_pipeline.warehouse.packing import months_before, pack

NAME = "packed_months"


def packed_months() -> dg.AssetsDefinition:
    """The asset that packs what is old enough; safe to materialize again."""

    @dg.asset(
        name=NAME,
        group_name="market",
        kinds={"python", "postgres"},
        description=(
            "Months of candles that ended long ago, as a row by series and day, to the last digit; "
            "market.ohlc shows them as before.\n\n"
            "**Grain:** one row per series and UTC day."
        ),
        metadata={"dagster/table_name": "warehouse.ohlc_packed"},
    )
    def asset(pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
        if not pipeline.pack_after_months:
            return dg.MaterializeResult(metadata={"candles": 0, "setting": "never"})
        before = months_before(pipeline.now().date(), pipeline.pack_after_months)
        done = pack(pipeline.line.database, before)
        return dg.MaterializeResult(
            metadata={
                "before": str(before),
                "candles": done.candles,
                "days": done.days,
                "bytes_before": done.bytes_before,
                "bytes_after": done.bytes_after,
            }
        )

    return asset
