"""Reads the named SQL statements of ``sql/*.sql``; Python holds no SQL text, SQL holds no Python."""

import re
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import LiteralString, cast

_HEADING = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def statements(name: str) -> MappingProxyType[str, LiteralString]:
    """The statements of ``sql/<name>.sql`` by their heading ``-- statement_name --``."""
    text = script(name)
    parts = _HEADING.split(text)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    found = {heading: body.strip() for heading, body in pairs}
    return MappingProxyType(cast("dict[str, LiteralString]", found))


def script(name: str) -> str:
    """The whole of ``sql/<name>.sql``."""
    return (files(__package__) / "sql" / f"{name}.sql").read_text(encoding="utf-8")
