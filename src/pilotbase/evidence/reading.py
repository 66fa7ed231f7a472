"""Reading JSON that anyone may have written or changed: strict, capped, and in words when it is refused.

Two programs must never read one file differently, so a key given twice, a float, NaN, text that is not UTF-8 and
nesting without end are refused, whatever the JSON library would make of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NoReturn

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import FaultError, InputError, Place
from pilotbase.foundation.text import Text, printable

MOST_LEVELS = 32  # of lists and objects inside each other; what we write has fewer than 10


def read_object(data: bytes, *, limit: int, place: Place) -> dict[str, object]:
    """Read one JSON object of at most ``limit`` bytes. Raises InputError naming the place."""
    if len(data) > limit:
        raise InputError(
            Text(zh="文件过大", en="the file is too large"),
            place=place,
            found=f"{len(data)} B",
            expected=Text(zh="至多 {limit} B", en="at most {limit} B").fill(limit=limit),
        )
    try:
        tree = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_float=_refuse_number, parse_constant=_refuse_number
        )
    except (ValueError, RecursionError) as error:
        raise InputError(
            Text(zh="文件不是严格的 JSON 文档", en="the file is not a strict JSON document"),
            place=place,
            found=printable(str(error)),
        ) from error
    if _is_deeper(tree, MOST_LEVELS):
        raise InputError(
            Text(zh="JSON 嵌套过深", en="the JSON is nested too deep"),
            place=place,
            expected=Text(zh="至多 {levels} 层", en="at most {levels} levels").fill(levels=MOST_LEVELS),
        )
    if not isinstance(tree, dict):
        raise InputError(
            Text(zh="文件应是一个 JSON 对象", en="the file must be one JSON object"),
            place=place,
            found=type(tree).__name__,
        )
    return tree


def read_canonical(data: bytes, *, limit: int, place: Place) -> dict[str, object]:
    """Read one JSON object that must be in canonical bytes. Raises InputError naming the place."""
    tree = read_object(data, limit=limit, place=place)
    try:
        same = canonical_bytes(tree) == data
    except FaultError as error:
        raise InputError(NOT_CANONICAL, place=place, found=printable(str(error))) from error
    if not same:
        raise InputError(NOT_CANONICAL, place=place, found=printable(repr(data[:60])))
    return tree


NOT_CANONICAL = Text(
    zh="文件不是规范字节（RFC 8785），可能被改动过",
    en="the file is not in canonical bytes (RFC 8785); it may have been changed",
)


def check_fields(tree: object, kinds: Mapping[str, type | tuple[type, ...]], place: Place) -> dict[str, object]:
    """Check that a value is an object with exactly these fields of these types. Raises InputError naming the field."""
    if not isinstance(tree, dict):
        raise InputError(_NOT_OBJECT, place=place, found=printable(repr(tree), 80))
    if tree.keys() != kinds.keys():
        raise InputError(
            Text(zh="字段不符", en="the fields are not those of the format"),
            place=place,
            found=printable(", ".join(map(str, sorted(tree)))),
            expected=Text(zh="{names}", en="{names}").fill(names=", ".join(sorted(kinds))),
        )
    for name, kind in kinds.items():
        if not isinstance(tree[name], kind):
            raise InputError(
                Text(zh="字段的类型不符", en="a field does not have the type it needs"),
                place=Place(file=place.file, field=f"{place.field}.{name}".lstrip(".")),
                found=printable(repr(tree[name]), 80),
            )
    return tree


_NOT_OBJECT = Text(zh="此处应是一个 JSON 对象", en="a JSON object is needed here")


def _is_deeper(tree: object, levels: int) -> bool:
    inside = [tree]
    for _ in range(levels + 1):
        parts = [node.values() if isinstance(node, dict) else node for node in inside if isinstance(node, (dict, list))]
        inside = [child for part in parts for child in part]
    return bool(inside)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key given twice: {twice}")
    return tree


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"a number that is not an integer: {text}")
