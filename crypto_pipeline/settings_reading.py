"""Reads settings from a TOML file and the environment, and tells what is wrong with them and where.

What the settings are is said in ``settings``.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError

from crypto_pipeline.errors import SettingsError

PREFIX = "CRYPTO_PIPELINE_"
CONFIG = f"{PREFIX}CONFIG"

KeyPath: TypeAlias = tuple[str, ...]
Places: TypeAlias = Mapping[KeyPath, str]


def from_file(file: Path) -> dict[str, Any]:
    """The values of a TOML file; a SettingsError when it is not one."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f"{file} cannot be read as TOML: {error}"
        raise SettingsError(msg) from None


def from_environment(
    environment: Mapping[str, str],
) -> Iterator[tuple[str, KeyPath, str]]:
    """Each variable of ours: its name, the key it sets, the text it sets it to."""
    for name, text in sorted(environment.items()):
        if name.startswith(PREFIX) and name != CONFIG:
            yield name, tuple(name.removeprefix(PREFIX).lower().split("__")), text


def paths(values: Mapping[str, Any], above: KeyPath = ()) -> Iterator[KeyPath]:
    """Every key that is set, sections included."""
    for key, value in values.items():
        yield (*above, key)
        if isinstance(value, Mapping):
            yield from paths(value, (*above, key))


def set_at(values: dict[str, Any], path: KeyPath, text: str) -> None:
    """Set a nested key, making the sections it lies in."""
    for key in path[:-1]:
        if not isinstance(values.get(key), dict):
            values[key] = {}
        values = values[key]
    values[path[-1]] = text


def told(error: ValidationError, model: type[BaseModel], places: Places, file: Path) -> str:
    """One line a mistake: the place, the key, the value, and what was expected."""
    lines = []
    for mistake in error.errors(include_url=False):
        path = tuple(part for part in mistake["loc"] if isinstance(part, str))
        place = place_of(path, places) or str(file)
        key = ".".join(path)
        if mistake["type"] == "extra_forbidden":
            lines.append(f"{place}: there is no setting {key}{_instead(path, model)}")
        else:
            expected = mistake["msg"].removeprefix("Value error, ")
            lines.append(f"{place}: {key} = {_shown(path, mistake['input'])}: {expected}")
    return "\n".join(lines)


def place_of(path: KeyPath, places: Places) -> str | None:
    """Where a key was set: itself, what it lies in, or what lies in it."""
    above = (places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in places)
    below = (place for found, place in places.items() if found[: len(path)] == path)
    return next(above, None) or next(below, None)


def _instead(path: KeyPath, model: type[BaseModel]) -> str:
    section: Any = model
    for key in path[:-1]:
        section = section.model_fields[key].annotation if key in section.model_fields else None
        if not (isinstance(section, type) and issubclass(section, BaseModel)):
            return ""
    return f"; expected one of {', '.join(section.model_fields)}"


def _shown(path: KeyPath, value: object) -> str:
    return "(hidden)" if path[:1] == ("database_url",) else repr(value)
