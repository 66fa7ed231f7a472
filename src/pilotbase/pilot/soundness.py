"""Soundness: a scenario or candidate that is to be used is read here, and looked at beyond its types.

What a dossier holds is read by its types alone (``document.read_toml``): a check that is new must not shut out what an
older release signed.

Errors   InputError with file, field, line, found, expected and remedy, for the first slip.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

import msgspec

from pilotbase.foundation.errors import InputError
from pilotbase.foundation.text import LANGUAGES, Text, printable
from pilotbase.pilot.document import Noun, read_toml
from pilotbase.pilot.lines import join, locate
from pilotbase.pilot.slips import CHECKS, Slip

N = TypeVar("N", bound=Noun)


def read_sound(data: bytes, kind: type[N], file: str) -> N:
    """Read what a person wrote and wants to be used. Raises InputError."""
    noun = read_toml(data, kind, file)
    source = data.decode("utf-8")
    for slip in _slips(noun, tomllib.loads(source, parse_float=Decimal), ""):
        raise InputError(
            slip.what,
            place=locate(slip.field, source, file),
            found=slip.found,
            expected=slip.expected,
            remedy=slip.remedy or _MEND,
        )
    return noun


_MEND = Text(zh="请改正该字段", en="mend the field")
_REMOVE = Text(zh="请删除该字段", en="remove the field")


def _slips(value: object, tree: object, path: str) -> Iterator[Slip]:
    """Walk a noun beside the tree that it was made from; inner slips come first."""
    if isinstance(value, Noun):
        for field in msgspec.structs.fields(value):
            inner = tree.get(field.encode_name) if isinstance(tree, dict) else None
            yield from _slips(getattr(value, field.name), inner, join(path, field.encode_name))
        for slip in _checks(value):
            yield replace(slip, field=join(path, slip.field))
    elif isinstance(value, tuple):
        branches = tree if isinstance(tree, list) else []
        for index, item in enumerate(value):
            yield from _slips(item, branches[index] if index < len(branches) else None, f"{path}[{index}]")
    elif isinstance(value, Text):
        yield from _text(value, tree, path)
    elif isinstance(value, str):
        yield from _signs(value, path)


def _checks(noun: Noun) -> Iterator[Slip]:
    return CHECKS[type(noun)](noun) if type(noun) in CHECKS else iter(())


def _text(text: Text, tree: object, path: str) -> Iterator[Slip]:
    for name in tree if isinstance(tree, dict) else ():
        if name not in LANGUAGES:
            unknown = Text(zh="未知字段", en="unknown field")
            yield Slip(field=join(path, printable(name)), what=unknown, found=printable(name), remedy=_REMOVE)
    for language in LANGUAGES:
        said = text.say(language)
        if not said.strip():
            both = Text(zh="中文（zh）和英文（en）各一", en="Chinese (zh) and English (en), one of each")
            empty = Text(zh="文字为空", en="a text is empty")
            yield Slip(field=join(path, language), what=empty, found=printable(repr(said)), expected=both)
        yield from _signs(said, join(path, language))


def _signs(text: str, path: str) -> Iterator[Slip]:
    """Point at signs that act on a screen instead of being seen."""
    if any(unicodedata.category(sign)[0] == "C" and sign not in "\n\t" for sign in text):
        what = Text(zh="文字中有控制字符或改变书写方向的字符", en="a text holds signs that control or turn the line")
        yield Slip(field=path, what=what, found=printable(text, 80))
