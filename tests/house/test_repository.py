"""What may not stand in the repository: addresses of registries, lock files that carry them, paths of one machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def test_pins_have_hashes_and_no_addresses() -> None:
    locks = [path for path in tracked() if path.name.startswith("constraints") or path.name.endswith(".lock")]
    assert len(locks) >= 2
    for path in locks:
        text = path.read_text()
        assert "://" not in text, path
        logical = text.replace("\\\n", " ").splitlines()
        pins = [line for line in logical if line.strip() and not line.lstrip().startswith("#")]
        assert all("==" in line and "--hash=sha256:" in line for line in pins), path


def test_no_lock_file_that_embeds_addresses() -> None:
    assert not [path for path in tracked() if path.name in {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"}]


_REGISTRY = re.compile(
    "|".join(("pypi" + r"\.org", "python" + "hosted", "npm" + "js", "--index" + "-url", "--extra" + "-index"))
)


@pytest.mark.parametrize("path", tracked(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_registry_is_named(path: Path) -> None:
    if path.suffix in {".png", ".bin"} or not path.is_file():
        return
    found = _REGISTRY.search(path.read_bytes().decode("utf-8", "replace"))
    allowed = path.name in {"lock.py", "test_lock.py"} or "bad" in path.parts  # they refuse such options by name
    assert found is None or allowed, found
