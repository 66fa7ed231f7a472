"""Documents: how bytes become nouns, and how a fault in them is told to the person who wrote them.

People write TOML (scenario, binding, candidate); the platform writes canonical JSON (all else). Both end in frozen
msgspec structs that refuse unknown fields. FORMATS sections 1 and 3.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
import types
from decimal import Decimal
from typing import Literal, TypeVar, Union, get_args, get_origin

import msgspec

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import FaultError, InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.lines import join, locate


class Noun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frozen value that is written down; its fields are the format."""


N = TypeVar("N", bound=Noun)


def read_toml(data: bytes, kind: type[N], file: str) -> N:
    """Read what a person wrote, by its types. Raises InputError with file, field, line, found, expected and remedy.

    What is to be *used* is read by ``soundness.read_sound``, which looks further.
    """
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
    _check_schema(tree, kind, file, source)
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        raise _fault(str(error), tree, kind, file, source) from error


def _check_schema(tree: object, kind: type[Noun], file: str, source: str) -> None:
    """Refuse an unknown noun or major version in words. FORMATS section 3."""
    wanted = getattr(kind, "SCHEMA", None)
    found = tree.get("schema") if isinstance(tree, dict) else None
    if wanted is not None and found != wanted:
        raise InputError(
            Text(zh="不是此版本能读的文档", en="not a document that this release can read"),
            place=locate("schema", source, file),
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
    if unknown := _UNKNOWN.search(bare):
        return _unknown_field(unknown[1], path, kind, file, source)
    if missing := _MISSING.search(bare):
        return InputError(
            Text(zh="缺少字段", en="a field is missing"),
            place=locate(join(path, missing[1]), source, file),
            expected=Text(zh=missing[1], en=missing[1]),
            remedy=Text(zh="请补写该字段", en="write the field"),
        )
    return InputError(
        Text(zh="字段的值不合要求", en="a field does not have the value it needs"),
        place=locate(path, source, file),
        found=_value_at(tree, path),
        expected=_expected(bare, _type_at(kind, path)),
        remedy=Text(zh="请改正该字段", en="mend the field"),
    )


_MISSING = re.compile(r"missing required field `([^`]*)`")
_UNKNOWN_FIELD = Text(zh="未知字段", en="unknown field")


def _unknown_field(name: str, path: str, kind: type[Noun], file: str, source: str) -> InputError:
    near = difflib.get_close_matches(name, _known_fields(kind), n=1)
    place = locate(join(path, name), source, file)
    return InputError(
        _UNKNOWN_FIELD,
        place=Place(file=file, field=printable(place.field), line=place.line),
        found=printable(name),
        remedy=Text(zh="是否想写 {near}？", en="did you mean {near}?").fill(near=near[0]) if near else _REMOVE,
    )


_REMOVE = Text(zh="请删除该字段", en="remove the field")

_WANTED = re.compile(r"Expected `([^`]*)`(?: matching regex '(.*)'| ([<>]=? \S+)| of (length .*))?(?:, got .*)?$")
_KINDS = {
    "int": Text(zh="整数", en="a whole number"),
    "decimal": Text(zh="数", en="a number"),
    "str": Text(zh="文本", en="text"),
    "bool": Text(zh="true 或 false", en="true or false"),
    "array": Text(zh="列表", en="a list"),
    "object": Text(zh="表", en="a table"),
}


def _expected(message: str, wanted: object) -> Text:
    """Say in both languages what msgspec says in its own words."""
    if get_origin(wanted) is Literal:
        choices = ", ".join(map(str, get_args(wanted)))
        return Text(zh="{choices} 之一", en="one of {choices}").fill(choices=choices)
    if "decimal string" in message:
        return _KINDS["decimal"]
    match = _WANTED.match(message)
    kinds = [_KINDS[name] for name in match[1].split(" | ") if name in _KINDS] if match else []
    if match is None or not kinds:
        return Text(zh=printable(message), en=printable(message))
    said = kinds[0]
    if match[2]:
        return Text(zh="{said}，形如 {pattern}", en="{said} of the form {pattern}").fill(
            said=said, pattern=match[2].replace("\\\\", "\\")
        )
    if bound := match[3] or match[4]:
        return Text(zh="{said}，{bound}", en="{said}, {bound}").fill(said=said, bound=bound)
    return said


def _type_at(kind: object, path: str) -> object:
    """Return the annotated type of a dotted path, without what wraps it; None if it cannot be told."""
    for part in re.findall(r"[^.\[\]]+", path):
        kind = _bare(kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            kind = next((one.type for one in msgspec.structs.fields(kind) if one.encode_name == part), None)
        else:
            kind = next(iter(get_args(kind)), None)
    return _bare(kind)


def _bare(kind: object) -> object:
    """Take ``Annotated`` and ``| None`` off a type."""
    while hasattr(kind, "__metadata__") or get_origin(kind) in {Union, types.UnionType}:
        kind = get_args(kind)[0]
    return kind


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
    return printable(str(value) if isinstance(value, Decimal) else repr(value), 80)


def _line_in(message: str) -> int:
    match = re.search(r"line (\d+)", message)
    return int(match[1]) if match else 0
