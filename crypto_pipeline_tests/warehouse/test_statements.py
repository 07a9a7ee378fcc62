"""The SQL files: every statement has a name, and every name a use."""

import re
from pathlib import Path

import pytest

from crypto_pipeline.market.datasets import DATASETS, NEWS
from crypto_pipeline.warehouse import statements as module
from crypto_pipeline.warehouse.statements import script, statements

FOLDER = Path(module.__file__).parent
SCRIPTS = sorted(path.stem for path in (FOLDER / "sql").glob("*.sql"))
PROMISES = "promises"
"""Conditions that become part of a statement."""
EXPORTING = "exporting"
"""Among others what is exported of each dataset, by its name."""


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_of_a_file_is_lost(name: str) -> None:
    """Headings and statements together are the whole file, and no heading comes twice."""
    found = statements(name)
    headings = re.findall(r"^-- (\w+) --$", script(name), re.MULTILINE)
    joined = "\n\n".join(f"-- {heading} --\n{body}" for heading, body in found.items())

    assert headings == list(found)
    assert joined + "\n" == script(name)


@pytest.mark.parametrize("name", sorted({*SCRIPTS} - {PROMISES}))
def test_a_statement_is_one_statement(name: str) -> None:
    """Each has one semicolon, at its end, for the driver takes parameters with one statement only."""
    for heading, body in statements(name).items():
        code = re.sub(r"^\s*--.*$", "", body, flags=re.MULTILINE)

        assert (1, True) == (code.count(";"), code.endswith(";")), heading


def test_every_statement_is_used() -> None:
    """A statement that no module names is dead, and this finds it."""
    code = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))
    unused = [
        f"{name}.{heading}"
        for name in SCRIPTS
        if name != PROMISES
        for heading in statements(name)
        if f'"{heading}"' not in code and not (name == EXPORTING and heading in DATASETS)
    ]

    assert [] == unused


def test_every_dataset_has_its_promises() -> None:
    """What a row must keep is written down for each dataset whose rows are stored alike."""
    assert DATASETS.keys() - {NEWS.name} == statements(PROMISES).keys()


def test_every_dataset_can_be_exported() -> None:
    """By a statement of its own."""
    assert DATASETS.keys() <= statements(EXPORTING).keys()


def test_unknown_statement_is_a_key_error() -> None:
    """A misspelt name is found at the first try."""
    with pytest.raises(KeyError):
        statements("rows")["no_such_statement"]
