"""Datasets: declarations that rows, tables and pages follow."""

import pytest

from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.frames.observations import GasPrice, IndexValue, Price
from crypto_pipeline.market.datasets import (
    DATASETS,
    GAS_PRICES,
    MARKET_PRICES,
    OHLC,
    SENTIMENT,
    Dataset,
)


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=str)
def test_every_column_says_its_unit_and_meaning(dataset: Dataset) -> None:
    """Whoever reads a declaration learns what each number counts."""
    assert all(column.unit and column.description for column in dataset.columns)
    assert (dataset.time, *dataset.values) == tuple(column.name for column in dataset.columns)


def test_datasets_are_found_by_their_name() -> None:
    """The catalogue's keys are the names."""
    assert [*DATASETS] == [dataset.name for dataset in DATASETS.values()]
    assert [*DATASETS] == ["ohlc", "market_prices", "sentiment", "gas_prices", "news"]


def test_candles_have_the_columns_of_their_dataset() -> None:
    """The typed row and the declaration have the same fields in the same order."""
    assert Candle._fields == (OHLC.time, *OHLC.values)


@pytest.mark.parametrize(
    ("dataset", "row"), [(MARKET_PRICES, Price), (SENTIMENT, IndexValue), (GAS_PRICES, GasPrice)]
)
def test_observations_have_the_columns_of_their_dataset(
    dataset: Dataset, row: type[Price | IndexValue | GasPrice]
) -> None:
    """What a provider gives is what is kept, but for the slot and how the value was come by."""
    told_by_us = {"slot", "is_refilled", "is_provisional"}

    assert {*row._fields} == {column.name for column in dataset.columns} - told_by_us
