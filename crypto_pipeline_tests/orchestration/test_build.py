"""What Dagster is given for each dataset, however many there are."""

from datetime import date

import dagster as dg
import pytest

from crypto_pipeline.market.datasets import DATASETS, MARKET_PRICES, Dataset
from crypto_pipeline.orchestration.build import Timetable, build_definitions
from crypto_pipeline.orchestration.resources import Pipeline

CHECKS = {"complete", "fresh", "ledger_matches_rows", "no_unexplained_gaps", "rows_are_valid"}


def _unopened() -> Pipeline:
    """Nothing here runs, so nothing is opened."""
    raise AssertionError


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    """What Dagster loads."""
    timetable = Timetable(date(2026, 3, 1), "* * * * *", "* * * * *", "* * * * *", 30, 31)
    return build_definitions(timetable, _unopened).get_repository_def()


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda one: one.name)
def test_every_dataset_has_its_sensor_and_its_checks(
    repository: dg.RepositoryDefinition, dataset: Dataset
) -> None:
    """The sensor looks after its asset alone; only what breaks a promise blocks what lies downstream."""
    asset, graph = dg.AssetKey(dataset.name), repository.asset_graph
    keys = [key for key in graph.asset_check_keys if key.asset_key == asset]
    sensor = repository.get_sensor_def(f"repair_{dataset.name}_gaps")

    assert CHECKS | ({"sources_agree"} if dataset == MARKET_PRICES else set()) == {
        key.name for key in keys
    }
    assert ["rows_are_valid"] == [key.name for key in keys if graph.get(key).blocking]
    assert {asset} == (sensor.asset_selection or dg.AssetSelection.all()).resolve(graph)


def test_every_dataset_is_collected_and_audited(repository: dg.RepositoryDefinition) -> None:
    """News by the slower schedule alone; every row is read at night and by no tick."""

    def about(job: str) -> tuple[set[str], set[str]]:
        graph = repository.get_job(job).asset_layer.asset_graph
        audits = {key for key in graph.asset_check_keys if key.name == "ledger_matches_rows"}
        return (
            {key.to_user_string() for key in graph.materializable_asset_keys},
            {key.asset_key.to_user_string() for key in audits},
        )

    every = set(DATASETS)
    assert (every - {"news"}, set()) == about("collect_live")
    assert (every, set()) == about("collect_everything")
    assert (every | {"instruments", "packed_months", "expired_months"}, every) == about(
        "keep_the_ledger"
    )
