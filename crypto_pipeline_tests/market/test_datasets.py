"""Datasets: declarations that rows, tables and pages follow."""

import pytest

from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.datasets import DATASETS, OHLC, Dataset


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=str)
def test_every_column_says_its_unit_and_meaning(dataset: Dataset) -> None:
    """Whoever reads a declaration learns what each number counts."""
    assert all(column.unit and column.description for column in dataset.columns)
    assert dataset.keys + dataset.values == tuple(column.name for column in dataset.columns)


def test_datasets_are_found_by_their_name() -> None:
    """The catalogue's keys are the names."""
    assert {name: dataset.name for name, dataset in DATASETS.items()} == {"ohlc": "ohlc"}


def test_candles_have_the_columns_of_their_dataset() -> None:
    """The typed row and the declaration have the same fields in the same order."""
    assert Candle._fields == OHLC.keys + OHLC.values
