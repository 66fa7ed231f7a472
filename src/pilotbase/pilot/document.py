"""Documents: how bytes become nouns, and how a fault in them is told to the person who wrote them.

People write TOML (scenario, binding, candidate); the platform writes canonical JSON (all else). Both end in frozen
msgspec structs that refuse unknown fields. FORMATS sections 1 and 3.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from decimal import Decimal
from typing import TypeVar

import msgspec

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import FaultError, InputError, Place
from pilotbase.foundation.text import Text, printable


class Noun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frozen value that is written down; its fields are the format."""


N = TypeVar("N", bound=Noun)


def read_toml(data: bytes, kind: type[N], file: str) -> N:
    """Read what a person wrote. Raises InputError with file, field, line, found, expected and remedy."""
    try:
        source = data.decode("utf-8")
        tree = tomllib.loads(source, parse_float=Decimal)
    except UnicodeDecodeError as error:
        raise InputError(
            Text(zh="文件不是 UTF-8 文本", en="the file is not UTF-8 text"),
            place=Place(file=file, line=data[: error.start].count(b"\n") + 1),
            remedy=Text(zh="请以 UTF-8 编码另存", en="save it again as UTF-8"),
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            Text(zh="TOML 语法错误", en="the TOML cannot be read"),
            place=Place(file=file, line=_line_in(str(error))),
            found=printable(str(error)),
            remedy=Text(zh="请改正该行", en="mend that line"),
        ) from error
    return _convert(tree, kind, file, source)


def read_json(data: bytes, kind: type[N], file: str) -> N:
    """Read what the platform wrote: canonical bytes of one noun. Raises InputError for anything else."""
    try:
        tree = json.loads(data)
        canonical = canonical_bytes(tree) == data
    except (ValueError, RecursionError, FaultError) as error:
        raise InputError(_NOT_JSON, place=Place(file=file), found=printable(str(error))) from error
    if not canonical:
        raise InputError(_NOT_CANONICAL, place=Place(file=file), found=printable(repr(data[:60])))
    return _convert(tree, kind, file, "")


_NOT_JSON = Text(zh="文件不是 JSON 文档", en="the file is not a JSON document")
_NOT_CANONICAL = Text(zh="文件不是规范字节（RFC 8785）", en="the file is not in canonical bytes (RFC 8785)")


def to_bytes(noun: Noun) -> bytes:
    """Return the canonical bytes of a noun; a Decimal is written as its text."""
    return canonical_bytes(to_tree(noun))


def to_tree(noun: Noun) -> dict[str, object]:
    """Return a noun as plain dicts and lists."""
    return msgspec.to_builtins(noun)


def _convert(tree: object, kind: type[N], file: str, source: str) -> N:
    _check_schema(tree, kind, file)
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        raise _fault(str(error), tree, kind, file, source) from error


def _check_schema(tree: object, kind: type[Noun], file: str) -> None:
    """Refuse an unknown noun or major version in words. FORMATS section 3."""
    wanted = getattr(kind, "SCHEMA", None)
    found = tree.get("schema") if isinstance(tree, dict) else None
    if wanted is not None and found != wanted:
        raise InputError(
            Text(zh="不是此版本能读的文档", en="not a document that this release can read"),
            place=Place(file=file, field="schema"),
            found=printable(str(found)),
            expected=Text(zh=str(wanted), en=str(wanted)),
            remedy=Text(zh="请核对文件，或使用能读该版本的发行版", en="check the file, or use a release that reads it"),
        )


_AT = re.compile(r" - at `(\$?[^`]*)`$")
_UNKNOWN = re.compile(r"contains unknown field `([^`]*)`")


def _fault(message: str, tree: object, kind: type[Noun], file: str, source: str) -> InputError:
    """Turn a validation message into an error with a field, a line and a remedy."""
    at = _AT.search(message)
    path = at[1].removeprefix("$").lstrip(".") if at else ""
    bare = message[: at.start()] if at else message
    unknown = _UNKNOWN.search(bare)
    if unknown is None:
        place = Place(file=file, field=path, line=_line_of(path, source))
        return InputError(
            Text(zh="字段的值不合要求", en="a field does not have the value it needs"),
            place=place,
            found=_value_at(tree, path),
            expected=Text(zh=printable(bare), en=printable(bare)),
            remedy=Text(zh="请参照 docs/spec 改正该字段", en="mend the field; docs/spec lists them all"),
        )
    name = unknown[1]
    near = difflib.get_close_matches(name, _known_fields(kind), n=1)
    field = f"{path}.{name}".lstrip(".")
    mend = Text(zh="是否想写 {near}？", en="did you mean {near}?").fill(near=near[0]) if near else _REMOVE
    return InputError(
        Text(zh="未知字段", en="unknown field"),
        place=Place(file=file, field=printable(field), line=_line_of(field, source)),
        found=printable(name),
        remedy=mend,
    )


_REMOVE = Text(zh="请删除该字段", en="remove the field")


def _known_fields(kind: object, seen: frozenset[object] = frozenset()) -> list[str]:
    """Return the field names of a noun and of the nouns inside it."""
    names: list[str] = []
    for field in msgspec.structs.fields(kind):  # type: ignore[arg-type]
        names.append(field.encode_name)
        for part in (field.type, *getattr(field.type, "__args__", ())):
            if isinstance(part, type) and issubclass(part, msgspec.Struct) and part not in seen:
                names.extend(_known_fields(part, seen | {part}))
    return names


def _value_at(tree: object, path: str) -> str:
    value = tree
    for part in re.findall(r"[^.\[\]]+", path):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]  # type: ignore[index]
        except (KeyError, IndexError, TypeError, ValueError):
            return ""
    return printable(repr(value), 80)


def _line_in(message: str) -> int:
    match = re.search(r"line (\d+)", message)
    return int(match[1]) if match else 0


def _line_of(path: str, source: str) -> int:
    """Find the line of a dotted path in TOML text, 0 when it cannot be told.

    Walks headers and keys only: enough to point a person at the place, never used to read a value.
    """
    parts = re.findall(r"[^.\[\]]+", path)
    counts: dict[str, int] = {}
    header: list[str] = []
    for number, line in enumerate(source.splitlines(), start=1):
        text = line.strip()
        table = re.match(r"(\[\[?)\s*([\w.-]+)\s*\]", text)
        if table:
            header = _numbered(table[2], table[1] == "[[", counts)
        key = re.match(r"([\w-]+)\s*=", text)
        here = [*header, key[1]] if key else header if table else []
        if here and here == parts[: len(here)] and (len(here) == len(parts) or key):
            return number
    return 0


def _numbered(name: str, repeated: bool, counts: dict[str, int]) -> list[str]:  # noqa: FBT001 - a fact of the header
    """Return a header's path with the index of every array of tables in it."""
    if repeated:
        counts[name] = counts.get(name, -1) + 1
    path: list[str] = []
    dotted = ""
    for part in name.split("."):
        dotted = f"{dotted}.{part}".lstrip(".")
        path.append(part)
        if dotted in counts:
            path.append(str(counts[dotted]))
    return path
