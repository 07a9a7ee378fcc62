"""What dbt makes of the models: made once, kept until they change, refused in one sentence."""

import shutil
from pathlib import Path

import pytest

from crypto_pipeline.orchestration.dbt_project import DbtFailed, Project, project_in
from crypto_pipeline_tests.conftest import REPOSITORY


def test_models_are_read_again_only_when_they_have_changed(tmp_path: Path) -> None:
    """A mistake is named with its file; nothing is written beside the models."""
    models = tmp_path / "models"
    (models / "models").mkdir(parents=True)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(REPOSITORY / "dbt_models" / name, models)
    one = models / "models" / "one.sql"
    one.write_text("select {{ 1 as one")
    project = Project(models, tmp_path / "state")

    with pytest.raises(DbtFailed, match=r"(?s)dbt does not understand the models: .*one\.sql"):
        project.manifest()
    one.write_text("select 1 as one")
    place = project.parsed()
    made = place.stat().st_mtime_ns

    assert ["one"] == [node["name"] for node in project.manifest()["nodes"].values()]
    assert (place, made) == (project.parsed(), place.stat().st_mtime_ns)
    assert {"dbt_project.yml", "profiles.yml", "models"} == {one.name for one in models.iterdir()}
    assert {place.name, "lock", "logs"} == {one.name for one in (tmp_path / "state").iterdir()}


def test_the_checkouts_models_are_found(tmp_path: Path) -> None:
    """Beside the package, as dagster.yaml is."""
    assert REPOSITORY / "dbt_models" == project_in(tmp_path).models
