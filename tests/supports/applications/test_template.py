from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from cell_fake import cell

from pilotbase.foundation.errors import InputError, UsageError
from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.document import read_toml
from pilotbase.supports.applications.template import COMMAND, new_candidate

SOURCE = """\
import json
import numpy as np
import helper
from pathlib import Path
from no_such_library.base import clone
from .near import this


def predict(columns):
    import hypothesis
    return np.stack([columns["hours"] * 0, columns["hours"] * 0], axis=1)
"""


@pytest.fixture
def source(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/pumps.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "src/helper.py").write_text("", encoding="utf-8")
    return tmp_path / "src/pumps.py"


def read(folder: Path) -> Candidate:
    return read_toml((folder / "candidate.toml").read_bytes(), Candidate, "candidate.toml")


def test_from_a_function(scenario, source, tmp_path):
    files = new_candidate(f"{source}:predict", tmp_path / "Pump Watch", scenario)
    assert sorted(path.name for path in files) == sorted(path.name for path in (tmp_path / "Pump Watch").iterdir())
    candidate = read(tmp_path / "Pump Watch")
    assert (candidate.id, candidate.version, candidate.kind, candidate.licence) == (
        "pump-watch",
        "0.1.0",
        "predict",
        "unknown",
    )
    assert (candidate.run.adapter, candidate.run.entry, candidate.run.threshold) == ("python", "pumps:predict", None)
    assert candidate.asks.inputs == ("temperature", "site", "hours")
    assert candidate.asks.output == ("score", "decision")
    assert (tmp_path / "Pump Watch/pumps.py").read_text(encoding="utf-8") == SOURCE


def test_requirements_are_those_that_the_file_imports(scenario, source, tmp_path):
    new_candidate(f"{source}:predict", tmp_path / "new", scenario)
    lines = (tmp_path / "new/requirements.in").read_text(encoding="utf-8").splitlines()
    assert lines == [f"hypothesis=={version('hypothesis')}", "no_such_library", f"numpy=={np.__version__}"]


def test_the_lock_is_empty_and_says_how_to_make_it(scenario, source, tmp_path):
    new_candidate(f"{source}:predict", tmp_path / "new", scenario)
    lines = (tmp_path / "new/requirements.lock").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("#") for line in lines)
    assert f"#   {COMMAND}" in lines


def test_from_a_model(scenario, tmp_path):
    (tmp_path / "best.onnx").write_bytes(b"model")
    new_candidate(str(tmp_path / "best.onnx"), tmp_path / "ab", scenario)
    candidate = read(tmp_path / "ab")
    assert (candidate.id, candidate.run.adapter, candidate.run.entry) == ("candidate-ab", "onnx", "model.onnx")
    assert str(candidate.run.threshold) == "0.5"
    assert (tmp_path / "ab/model.onnx").read_bytes() == b"model"


def test_what_is_written_can_be_run(scenario, tmp_path):
    (tmp_path / "pumps.py").write_text(
        "import numpy as np\ndef predict(c):\n    return np.zeros((len(c['hours']), 2))\n"
    )
    new_candidate(f"{tmp_path / 'pumps.py'}:predict", tmp_path / "new", scenario)
    with cell(scenario, read(tmp_path / "new"), tmp_path / "new") as running:
        running.ready()
        assert running.ask([[1, 2]], [[0]], scenario.contract.output).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    "text", ["predict.py", "predict", "predict.py:", "predict.py:not a name", "a-b.py:predict", ""]
)
def test_what_is_neither_model_nor_function_is_a_usage_error(scenario, tmp_path, text):
    with pytest.raises(UsageError, match=r"predict.py:function"):
        new_candidate(text, tmp_path / "new", scenario)


def test_a_function_that_is_not_there_is_named(scenario, source, tmp_path):
    with pytest.raises(InputError, match="does not define that function") as caught:
        new_candidate(f"{source}:guess", tmp_path / "new", scenario)
    assert caught.value.found == "guess"
    assert "predict" in str(caught.value.expected)


@pytest.mark.parametrize("name", ["missing.onnx", "missing.py:predict", "broken.py:predict"])
def test_a_source_that_cannot_be_read(scenario, tmp_path, name):
    broken = Path(__file__).parent / "bad/syntax-error.txt"
    (tmp_path / "broken.py").write_bytes(broken.read_bytes())
    with pytest.raises(InputError, match="does not exist or cannot be read"):
        new_candidate(str(tmp_path / name), tmp_path / "new", scenario)
    assert not (tmp_path / "new").exists()


def test_a_folder_in_use_is_left_alone(scenario, source, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/mine.txt").write_text("mine")
    with pytest.raises(InputError, match="in use"):
        new_candidate(f"{source}:predict", tmp_path / "new", scenario)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine.txt"]


def test_the_source_is_never_run(scenario, tmp_path):
    mark = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(f"open({str(mark)!r}, 'w')\ndef predict(c): ...\n")
    new_candidate(f"{tmp_path / 'evil.py'}:predict", tmp_path / "new", scenario)
    assert not mark.exists()
    assert "evil" not in sys.modules
