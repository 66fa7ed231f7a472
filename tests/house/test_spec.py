"""The published formats are those of the source."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

SPEC = Path(__file__).parents[2] / "docs" / "spec"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SPEC / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_schemas_are_generated_from_the_nouns() -> None:
    wanted = load("make_schemas").schemas()
    there = {path.name: path.read_text(encoding="utf-8") for path in (SPEC / "schemas").glob("*.json")}
    assert there == wanted


def test_every_method_has_its_page() -> None:
    from pilotbase.pilot.criteria import METHODS  # noqa: PLC0415
    from pilotbase.pilot.plan import OBSERVED  # noqa: PLC0415

    page = (SPEC / "methods.md").read_text(encoding="utf-8")
    for method in (*METHODS, OBSERVED):
        assert method in page


def test_the_second_verifier_stands_alone() -> None:
    text = (SPEC / "verifier.py").read_text(encoding="utf-8")
    assert "import pilotbase" not in text
    assert "from pilotbase" not in text
    assert "numpy" not in text.replace("no numpy", "")
