"""The bars of the house, measured: short modules, short functions, a sentence for each promise."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

from crypto_pipeline_tests.conftest import REPOSITORY

PACKAGE, TESTS = REPOSITORY / "crypto_pipeline", REPOSITORY / "crypto_pipeline_tests"
MODULES = sorted(PACKAGE.rglob("*.py"))
TEST_MODULES = sorted(TESTS.rglob("*.py"))
LONGEST_MODULE = 300
MEDIAN_FUNCTION, LONG_FUNCTION = 10, 45
LONG_FUNCTIONS_ALLOWED = 3
NOBODYS_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc|base|core)(_|$)")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """The path as people type it."""
    return str(path.relative_to(REPOSITORY))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[Function]:
    """Every function of a module, methods and inner ones included."""
    yield from (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Its lines, from ``def`` to the end, docstring included, decorators not."""
    return (function.end_lineno or 0) - function.lineno + 1


def is_migration(path: Path) -> bool:
    """Migrations are a record, not prose; they are never edited to be pretty."""
    return "versions" in path.parts


def lengths() -> dict[str, int]:
    """The length of every function we write."""
    return {
        f"{name_of(path)}:{function.lineno} {function.name}": length(function)
        for path in MODULES
        if not is_migration(path)
        for function in functions(path)
    }


@pytest.mark.parametrize("folder", [PACKAGE, TESTS], ids=lambda path: path.name)
def test_every_module_says_what_lives_in_it(folder: Path) -> None:
    """Each module opens with a sentence."""
    silent = [
        name_of(path) for path in sorted(folder.rglob("*.py")) if not ast.get_docstring(tree(path))
    ]

    assert [] == silent


def test_modules_are_short() -> None:
    """A module fits into a reader's head."""
    long = {
        name_of(path): lines
        for path in MODULES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }

    assert {} == long


def test_functions_are_short() -> None:
    """Half of all functions have ten lines or fewer, nineteen of twenty far fewer than a page."""
    measured = sorted(lengths().values())

    assert median(measured) <= MEDIAN_FUNCTION
    assert quantiles(measured, n=20)[-1] <= LONG_FUNCTION


def test_long_functions_are_few() -> None:
    """What is longer than a page is a declaration at most, and can be counted on one hand."""
    long = {name: lines for name, lines in lengths().items() if lines > LONG_FUNCTION}

    assert len(long) <= LONG_FUNCTIONS_ALLOWED, long


def test_every_test_states_its_promise() -> None:
    """Each test has one sentence or two that say what is promised."""
    silent = [
        f"{name_of(path)}:{function.lineno} {function.name}"
        for path in TEST_MODULES
        for function in functions(path)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]

    assert [] == silent


def test_no_module_is_called_nothing() -> None:
    """A module is named for what lives in it."""
    vague = [name_of(path) for path in MODULES + TEST_MODULES if NOBODYS_NAMES.search(path.stem)]

    assert [] == vague


def test_annotations_stay_objects_where_dagster_reads_them() -> None:
    """``from __future__ import annotations`` would turn ``context: dg.AssetExecutionContext`` into text."""
    postponed = [
        name_of(path)
        for path in [*(PACKAGE / "orchestration").rglob("*.py"), PACKAGE / "definitions.py"]
        if "from __future__ import annotations" in path.read_text(encoding="utf-8")
    ]

    assert [] == postponed


def test_no_comment_is_an_essay() -> None:
    """A comment is two lines at most; longer reasons are decisions, and lie in docs/decisions."""
    run = re.compile(r"(?:^[ \t]*#.*\n){3,}", re.MULTILINE)
    essays = [
        f"{name_of(path)}: {found.group(0).strip().splitlines()[0]}"
        for path in MODULES
        for found in run.finditer(path.read_text(encoding="utf-8"))
    ]

    assert [] == essays


def test_no_work_is_left_behind() -> None:
    """What is to be done is an issue, not a comment."""
    marks = re.compile(r"#\s*(TODO|FIXME|XXX|HACK)\b")
    left = [
        f"{name_of(path)}:{number}"
        for path in MODULES + TEST_MODULES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]

    assert [] == left


@pytest.mark.parametrize("folder", ["market", "frames", "providers", "ingestion", "warehouse"])
def test_tests_mirror_the_package(folder: str) -> None:
    """Each module has its tests where a reader looks for them; ``server_cluster`` is ``server``'s."""
    tested = {path.stem.removeprefix("test_") for path in (TESTS / folder).glob("test_*.py")}
    untested = [
        path.stem
        for path in (PACKAGE / folder).glob("*.py")
        if path.stem != "__init__" and not {path.stem, path.stem.partition("_")[0]} & tested
    ]

    assert [] == untested
