"""What import-linter does not see: rooms that no contract lists, the package root, imports inside functions."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "pilotbase"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
FILES = sorted(SOURCE.rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_every_support_is_listed_among_the_pillars() -> None:
    listed = next(one for one in CONTRACTS if one["type"] == "independence")["modules"]
    there = [
        f"pilotbase.supports.{path.name}"
        for path in (SOURCE / "supports").iterdir()
        if path.is_dir() and path.name[0] != "_"
    ]
    assert sorted(listed) == sorted(there)


def test_no_room_is_an_empty_stub() -> None:
    for room in SOURCE.iterdir():
        if room.is_dir() and room.name[0] != "_":
            code = [node for path in room.rglob("*.py") for node in tree(path).body]
            assert any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AnnAssign) for node in code), room


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_stand_at_the_top(path: Path) -> None:
    """Own imports inside functions hide arrows. The shims that run inside a cell import what the candidate brings."""
    inner = [
        inside
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inside in ast.walk(node)
        if isinstance(inside, ast.ImportFrom) and (inside.module or "").startswith("pilotbase")
    ]
    assert not inner


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_nobody_below_enters_by_the_package_root(path: Path) -> None:
    named = [alias.name for node in ast.walk(tree(path)) if isinstance(node, ast.Import) for alias in node.names]
    named += [str(node.module) for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)]
    assert "pilotbase" not in named


def test_the_root_imports_lazily_and_only_the_base() -> None:
    top = [node for node in tree(SOURCE / "__init__.py").body if isinstance(node, ast.ImportFrom | ast.Import)]
    assert [str(node.module) for node in top if isinstance(node, ast.ImportFrom)][1:] == [
        "importlib",
        "typing",
        "pilotbase.foundation.version",
    ]
