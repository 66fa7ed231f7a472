"""Both languages everywhere: every ``Text`` of the source says the same in zh and en, with the same placeholders."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "pilotbase"
FILES = sorted(SOURCE.rglob("*.py"))


def texts(path: Path) -> list[tuple[int, str, str]]:
    """Return line, zh and en of every Text that is written with literals."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Text"):
            continue
        said = dict(zip(("zh", "en"), node.args, strict=False)) | {word.arg: word.value for word in node.keywords}
        if all(isinstance(said.get(name), ast.Constant) for name in ("zh", "en")):
            found.append((node.lineno, said["zh"].value, said["en"].value))
    return found


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_both_languages_are_there_and_agree(path: Path) -> None:
    for line, zh, en in texts(path):
        assert zh.strip(), line
        assert en.strip(), line
        assert fields(zh) == fields(en), f"{path}:{line}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_english_has_no_chinese_in_it(path: Path) -> None:
    for line, _, en in texts(path):
        assert not re.search("[\u4e00-\u9fff]", en), f"{path}:{line}"


def test_there_are_texts_to_compare() -> None:
    assert sum(len(texts(path)) for path in FILES) > 200


def test_chinese_is_chinese() -> None:
    """A Chinese text without one Chinese character is a name or a number, and the same in English."""
    for path in FILES:
        for line, zh, en in texts(path):
            bare = re.sub(r"\{\w*\}|[\W\d_]", "", zh)  # what is left beside placeholders and punctuation
            assert not bare or re.search("[\u4e00-\u9fff]", zh) or zh == en, f"{path}:{line}: {zh}"
