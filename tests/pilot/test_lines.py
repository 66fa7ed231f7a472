"""Where a field stands in a TOML text, as a person would look for it."""

from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import PACK

from pilotbase.pilot.lines import join, locate

TEXT = """\
# a comment = here
name = "x"
inline = { one = 1, two = 2 }
dotted.key.here = 1
many = [
  "first", "second",
]

[table]
inner = 1

[[rows]]
name = "a"

[[rows.parts]]
id = 1

[[rows.parts]]
id = 2

[[rows]]
name = "b"

[[rows.parts]]
id = 3

[table.deep]
last = true
"""
WHERE = {
    "name": 2,
    "inline": 3,
    "inline.two": 3,
    "dotted.key.here": 4,
    "many": 5,
    "many[1]": 5,
    "table.inner": 10,
    "table": 9,
    "table.missing": 9,
    "rows": 12,
    "rows[0].name": 13,
    "rows[0].parts[1].id": 19,
    "rows[1]": 21,
    "rows[1].parts[0].id": 25,
    "rows[1].parts[0].missing": 24,
    "table.deep.last": 28,
    "missing": 0,
    "": 0,
}


@pytest.mark.parametrize("path", WHERE)
def test_a_path_has_its_line(path: str) -> None:
    place = locate(path, TEXT, "f.toml")
    assert (place.file, place.field, place.line) == ("f.toml", path, WHERE[path])


def test_every_leaf_of_the_first_pack_is_found() -> None:
    text = PACK.read_text(encoding="utf-8")
    lines = text.splitlines()

    def walk(tree: object, path: str) -> None:
        if isinstance(tree, dict):
            for name, value in tree.items():
                walk(value, join(path, name))
        elif isinstance(tree, list) and tree and isinstance(tree[0], dict):
            for index, value in enumerate(tree):
                walk(value, f"{path}[{index}]")
        else:
            line = lines[locate(path, text, "f").line - 1]
            names = re.findall(r"[a-z_]+", path)
            assert any(line.startswith(f"{name} =") for name in names), (path, line)

    walk(tomllib.loads(text), "")


@given(st.text(max_size=300), st.text(max_size=40))
def test_any_text_and_any_path_give_a_line_of_it(text: str, path: str) -> None:
    assert 0 <= locate(path, text, "f").line <= len(text.splitlines())


def test_joining() -> None:
    assert [join("", "a"), join("a", "b"), join("a", ""), join("", "")] == ["a", "a.b", "a", ""]
