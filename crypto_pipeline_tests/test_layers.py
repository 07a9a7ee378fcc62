"""The import rule of the design, enforced: each layer knows only those below it."""

import tomllib

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from crypto_pipeline_tests.conftest import REPOSITORY

CONFIG = REPOSITORY / "pyproject.toml"


def test_layers_are_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every contract of pyproject.toml holds; the output names the import that breaks one."""
    monkeypatch.syspath_prepend(str(REPOSITORY))
    status = lint_imports(config_filename=str(CONFIG), no_cache=True, is_debug_mode=False)

    assert EXIT_STATUS_SUCCESS == status, capsys.readouterr().out


def test_every_layer_is_in_the_rule() -> None:
    """A new module at the top has a place among the layers, or the rule would say nothing of it."""
    contracts = tomllib.loads(CONFIG.read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract for contract in contracts if contract["type"] == "layers")
    placed = {name.strip() for layer in layers["layers"] for name in layer.split("|")}
    package = REPOSITORY / "crypto_pipeline"
    there = {path.stem for path in package.glob("*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }

    assert there - {"__init__"} == placed
