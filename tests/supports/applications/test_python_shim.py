from __future__ import annotations

import os
import struct

import numpy as np
import pytest
from cell_fake import cell, u64

from pilotbase.supports.applications.predict import BadReply

NUMBERS = [[61.5, 100.0], [np.nan, 200.0], [59.0, 300.0]]
CODES = [[0], [-1], [-2]]


@pytest.fixture
def start(scenario, make_candidate, tmp_path):
    """Start a candidate whose module has this text."""

    def begin(text: str, entry: str = "predict:predict", **changes):
        (tmp_path / "predict.py").write_text("import numpy as np\n" + text, encoding="utf-8")
        return cell(scenario, make_candidate(entry=entry), tmp_path, **changes)

    return begin


def refused(started, code: int = 65) -> str:
    """Start a candidate that cannot answer; return what it is told."""
    with started as running:
        try:
            running.ready()
            running.send(NUMBERS, CODES)
            assert not os.read(running.process.stdout.fileno(), 1)
        except EOFError:
            pass
        text = running.end()
        assert running.process.returncode == code
        return text


def test_a_function_sees_its_columns_and_answers(start, scenario):
    text = """
def predict(columns):
    assert list(columns) == ["temperature", "site", "hours"], list(columns)
    assert [one.dtype.str for one in columns.values()] == ["<f8", "<i4", "<f8"]
    assert all(one.ndim == 1 for one in columns.values())
    score = columns["hours"] / 1000 + columns["site"] * 0.01 + np.isnan(columns["temperature"]) * 0.5
    return {"decision": score > 0.5, "score": score}
"""
    with start(text) as running:
        running.ready()
        answers = running.ask(NUMBERS, CODES, scenario.contract.output)
        np.testing.assert_allclose(answers, [[0.1, 0], [0.69, 1], [0.28, 0]])
        np.testing.assert_allclose(running.ask(NUMBERS[:1], CODES[:1], scenario.contract.output), [[0.1, 0]])
        assert running.end() == ""
        assert running.process.returncode == 0


def test_large_batches_pass_through_the_pipe(start, scenario):
    with start("def predict(c):\n    return np.stack([c['hours'], c['hours'] > 0.5], axis=1)\n") as running:
        running.ready()
        values = np.random.default_rng(3).random((65536, 2))
        answers = running.ask(values, np.zeros((65536, 1)), scenario.contract.output)
        np.testing.assert_array_equal(answers[:, 0], values[:, 1])


def test_printing_and_reading_cannot_spoil_the_frames(start, scenario):
    text = """
import os, sys, subprocess
print("hello from import")
def predict(columns):
    print("hello from predict", flush=True)
    os.write(1, b"raw\\n")
    subprocess.run([sys.executable, "-S", "-c", "print('child'); import sys; print(repr(sys.stdin.read()))"])
    assert sys.stdin.read() == ""
    return np.zeros((3, 2))
"""
    with start(text) as running:
        running.ready()
        np.testing.assert_array_equal(running.ask(NUMBERS, CODES, scenario.contract.output), np.zeros((3, 2)))
        told = running.end()
    assert all(word in told for word in ("hello from import", "hello from predict", "raw", "child", "''"))


@pytest.mark.parametrize("rows", [0, 2, 4])
def test_a_wrong_count_is_sent_as_it_is(start, scenario, rows):
    with start(f"def predict(c):\n    return np.zeros(({rows}, 2))\n") as running:
        running.ready()
        with pytest.raises(BadReply) as caught:
            running.ask(NUMBERS, CODES, scenario.contract.output)
        assert caught.value.failure.kind == "wrong_count"
        assert caught.value.detail == f"{rows} rows instead of 3"


@pytest.mark.parametrize(
    "body",
    [
        "{'score': [0.5] * 3, 'decision': [True, False, True]}",
        "{'score': np.full((3, 1), 0.5, dtype='f4'), 'decision': np.array([1, 0, 1], dtype='i8')}",
        "[[0.5, 1], [0.5, 0], [0.5, 1]]",
        "np.array([[0.5, 1], [0.5, 0], [0.5, 1]], order='F')",
    ],
)
def test_what_a_function_may_return(start, scenario, body):
    with start(f"def predict(c):\n    return {body}\n") as running:
        running.ready()
        answers = running.ask(NUMBERS, CODES, scenario.contract.output)
        np.testing.assert_array_equal(answers, [[0.5, 1], [0.5, 0], [0.5, 1]])


def test_one_output_may_come_as_one_dimension(start, scenario):
    with start("def predict(c):\n    return c['hours'] / 1000\n", outputs=["score"]) as running:
        running.ready()
        answers = running.ask(NUMBERS, CODES, scenario.contract.output[:1])
        np.testing.assert_allclose(answers, [[0.1], [0.2], [0.3]])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{'score': [0.5] * 3}", "lacks ['decision']"),
        ("{'score': [0.5] * 3, 'decision': [0]}", "differ in length"),
        ("np.zeros(3)", "shape (3,), not (rows, 2)"),
        ("np.zeros((3, 3))", "shape (3, 3), not (rows, 2)"),
        ("'yes'", "is not made of numbers"),
        ("None", "shape (), not (rows, 2)"),
        ("{'score': ['a'] * 3, 'decision': [0] * 3}", "is not made of numbers"),
        ("[[1, 2], [3]]", "is not made of numbers"),
    ],
)
def test_what_cannot_be_an_answer_is_told_in_both_languages(start, body, told):
    text = refused(start(f"def predict(c):\n    return {body}\n"))
    assert told in text
    assert "函数" in text


def test_a_function_that_raises_leaves_its_traceback(start):
    assert "ZeroDivisionError" in refused(start("def predict(c):\n    return 1 / 0\n"), code=1)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("predict:guess", "the module predict has no function guess"),
        ("predict:np", "the module predict has no function np"),
        ("nowhere:predict", "there is no module nowhere"),
        ("nowhere.deep:predict", "there is no module nowhere.deep"),
    ],
)
def test_an_entry_that_names_nothing(start, entry, told):
    assert told in refused(start("def predict(c): ...\n", entry=entry))


def test_a_module_that_needs_another_leaves_the_traceback(start):
    text = refused(start("import no_such_package\ndef predict(c): ...\n"), code=1)
    assert "No module named 'no_such_package'" in text


def test_an_environment_without_numpy_says_so(scenario, make_candidate, tmp_path):
    without = tmp_path / "without"
    without.mkdir()
    (without / "numpy.py").write_text("raise ModuleNotFoundError(\"No module named 'numpy'\", name='numpy')\n")
    text = refused(cell(scenario, make_candidate(), tmp_path, without))
    assert "there is no module numpy" in text
    assert "requirements.lock" in text


def test_requests_that_end_half_way(start):
    with start("def predict(c):\n    return np.zeros((3, 2))\n") as running:
        running.ready()
        running.process.stdin.write(struct.pack("<Qd", 3, 1.0))
        assert "a request ended half-way" in running.end()
        assert running.process.returncode == 65


def test_ready_comes_only_once_the_candidate_is_loaded(start):
    text = "import time\ntime.sleep(0.3)\ndef predict(c):\n    return np.zeros((3, 2))\n"
    with start(text) as running:
        os.set_blocking(running.process.stdout.fileno(), False)
        with pytest.raises(BlockingIOError):
            os.read(running.process.stdout.fileno(), 8)
        os.set_blocking(running.process.stdout.fileno(), True)
        assert u64(running.process.stdout.read(8)) == 0
