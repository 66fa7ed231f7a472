"""Lines: where in a TOML text a field stands, so that a fault can be pointed at. Never used to read a value."""

from __future__ import annotations

import re

from pilotbase.foundation.errors import Place


def locate(path: str, source: str, file: str) -> Place:
    """Return the place of a dotted path in TOML text, with its line where that can be told."""
    return Place(file=file, field=path, line=_line_of(path, source))


def join(path: str, field: str) -> str:
    """Return the path of a field of the noun at a path."""
    return f"{path}.{field}" if path and field else path or field


def _line_of(path: str, source: str) -> int:
    """Find the line of a dotted path in TOML text, or of the nearest table around it; 0 when there is none.

    Walks headers and keys only: enough to point a person at the place, never used to read a value.
    """
    parts = re.findall(r"[^.\[\]]+", path)
    counts: dict[str, int] = {}
    header: list[str] = []
    nearest, depth = 0, 0
    for number, line in enumerate(source.splitlines(), start=1):
        text = line.strip()
        table = re.match(r"(\[\[?)\s*([\w.-]+)\s*\]", text)
        if table:
            header = _numbered(table[2], table[1] == "[[", counts)
        key = re.match(r"([\w.-]+)\s*=", text)
        here = [*header, *key[1].split(".")] if key else header if table else []
        if here and parts and here[: len(parts)] == parts:
            return number
        if len(here) > depth and here == parts[: len(here)]:
            nearest, depth = number, len(here)
    return nearest


def _numbered(name: str, repeated: bool, counts: dict[str, int]) -> list[str]:  # noqa: FBT001 - a fact of the header
    """Return a header's path with the index of every array of tables in it."""
    if repeated:
        counts[name] = counts.get(name, -1) + 1
        for inner in [other for other in counts if other.startswith(f"{name}.")]:
            del counts[inner]  # a new element has its own arrays
    path: list[str] = []
    dotted = ""
    for part in name.split("."):
        dotted = f"{dotted}.{part}".lstrip(".")
        path.append(part)
        if dotted in counts:
            path.append(str(counts[dotted]))
    return path
