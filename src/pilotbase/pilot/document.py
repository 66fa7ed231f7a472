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
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeVar, Union, get_args, get_origin

import msgspec

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import FaultError, InputError, Place
from pilotbase.foundation.text import LANGUAGES, Text, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A value that has its type and yet cannot be meant."""

    field: str
    """Path inside the noun; empty = the noun as a whole."""
    what: Text
    found: str = ""
    expected: Text | None = None
    remedy: Text | None = None


class Noun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frozen value that is written down; its fields are the format."""

    def slips(self) -> Iterable[Slip]:
        """Say what is wrong with this noun that no type can say. Not asked of what is signed already."""
        return ()


N = TypeVar("N", bound=Noun)


def read_checked(data: bytes, kind: type[N], file: str) -> N:
    """Read what a person wrote and wants to be used: its types, then every slip. Raises InputError as ``read_toml``.

    What a dossier holds is read by ``read_toml``: a check that is new must not shut out what an older release signed.
    """
    noun = read_toml(data, kind, file)
    source = data.decode("utf-8")
    for slip in _slips(noun, tomllib.loads(source, parse_float=Decimal), ""):
        raise InputError(
            slip.what,
            place=locate(slip.field, source, file),
            found=slip.found,
            expected=slip.expected,
            remedy=slip.remedy,
        )
    return noun


def locate(path: str, source: str, file: str) -> Place:
    """Return the place of a dotted path in TOML text, with its line where that can be told."""
    return Place(file=file, field=path, line=_line_of(path, source))


def _slips(value: object, tree: object, path: str) -> Iterator[Slip]:
    """Walk a noun beside the tree that it was made from; inner slips come first."""
    if isinstance(value, Noun):
        for field in msgspec.structs.fields(value):
            inner = tree.get(field.encode_name) if isinstance(tree, dict) else None
            yield from _slips(getattr(value, field.name), inner, _join(path, field.encode_name))
        for slip in value.slips():
            yield Slip(
                field=_join(path, slip.field),
                what=slip.what,
                found=slip.found,
                expected=slip.expected,
                remedy=slip.remedy,
            )
    elif isinstance(value, tuple):
        branches = tree if isinstance(tree, list) else []
        for index, item in enumerate(value):
            yield from _slips(item, branches[index] if index < len(branches) else None, f"{path}[{index}]")
    elif isinstance(value, Text):
        yield from _text_slips(value, tree, path)
    elif isinstance(value, str):
        yield from _sign_slips(value, path)


def _join(path: str, field: str) -> str:
    return f"{path}.{field}" if path and field else path or field


def _text_slips(text: Text, tree: object, path: str) -> Iterator[Slip]:
    for name in tree if isinstance(tree, dict) else ():
        if name not in LANGUAGES:
            yield Slip(
                field=_join(path, printable(str(name))), what=_UNKNOWN_FIELD, found=printable(name), remedy=_REMOVE
            )
    for language in LANGUAGES:
        said = text.say(language)
        if not said.strip():
            yield Slip(
                field=_join(path, language),
                what=Text(zh="文字为空", en="a text is empty"),
                found=printable(repr(said)),
                expected=Text(zh="中文（zh）和英文（en）各一", en="Chinese (zh) and English (en), one of each"),
                remedy=Text(zh="请补写", en="write it"),
            )
        yield from _sign_slips(said, _join(path, language))


def _sign_slips(text: str, path: str) -> Iterator[Slip]:
    """Refuse signs that act on a screen instead of being seen: they have no business in a document."""
    if any(unicodedata.category(sign)[0] == "C" and sign not in "\n\t" for sign in text):
        yield Slip(
            field=path,
            what=Text(zh="文字中有控制字符或改变书写方向的字符", en="a text holds signs that control or turn the line"),
            found=printable(text, 80),
            remedy=Text(zh="请删除这些字符", en="take these signs out"),
        )


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
    if unknown := _UNKNOWN.search(bare):
        return _unknown_field(unknown[1], path, kind, file, source)
    if missing := _MISSING.search(bare):
        return InputError(
            Text(zh="缺少字段", en="a field is missing"),
            place=locate(_join(path, missing[1]), source, file),
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
    place = locate(_join(path, name), source, file)
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
    return printable(repr(value), 80)


def _line_in(message: str) -> int:
    match = re.search(r"line (\d+)", message)
    return int(match[1]) if match else 0


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
