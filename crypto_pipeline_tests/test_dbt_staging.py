"""The staging models are the public views, one to one, and say what each column is."""

from typing import Any

import pytest
import yaml

from crypto_pipeline.market.datasets import DATASETS
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.conftest import REPOSITORY

MODELS = REPOSITORY / "dbt_models" / "models"
DERIVED = {"day"}
UNSTAGED = {"coverage", "fetches", "latest_prices", "series"}
VIEWS = ("market_prices", "sentiment", "gas_prices", "news")


def described(view: str) -> list[str]:
    """The columns that a staging model is said to have, each with a description."""
    told: dict[str, Any] = yaml.safe_load((MODELS / "staging" / "staging.yml").read_text())
    (model,) = (one for one in told["models"] if one["name"] == f"stg_{view}")
    assert "one row per" in model["description"]
    return [column["name"] for column in model["columns"] if column["description"].endswith(".")]


@pytest.mark.parametrize("view", VIEWS)
def test_every_column_is_staged_and_described(database: Database, view: str) -> None:
    """What a view holds is in its model, which adds only the day of what has a time."""
    model = (MODELS / "staging" / f"stg_{view}.sql").read_text(encoding="utf-8")
    with database.connect() as connection:
        columns = connection.execute(f"select * from market.{view}").description or []  # noqa: S608
        staged = connection.execute(
            model.replace(f"{{{{ source('market', '{view}') }}}}", f"market.{view}").encode()
        ).description
    names = [column.name for column in staged or []]

    assert names == described(view)
    assert {column.name for column in columns} | DERIVED == {*names}


def test_every_dataset_is_staged() -> None:
    """Marts read rows by their staging model; series, the ledger and the log they read as they are."""
    told = yaml.safe_load((MODELS / "sources.yml").read_text())
    (market,) = told["sources"]
    staged = {path.stem.removeprefix("stg_") for path in MODELS.rglob("stg_*.sql")}

    assert {*DATASETS} == staged
    assert staged | UNSTAGED == {one["name"] for one in market["tables"] if one["description"]}
