from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cell_fake import PACKAGES, cell

from pilotbase.supports.applications.predict import BadReply

HERE = Path(__file__).parent
FAKES, MODELS = HERE / "fakes", HERE / "models"
F, D, I, S = "tensor(float)", "tensor(double)", "tensor(int64)", "tensor(string)"  # noqa: E741
MATRIX = [["X", F, [None, 3]]]
NUMBERS = [[0.75, 0.5], [np.nan, 0.25]]  # temperature, hours
CODES = [[1], [-1]]  # site
ASKED_MEANS = [[0.75], [-0.25]]  # (0.75 + 1 + 0.5) / 3, (0 - 1 + 0.25) / 3


@pytest.fixture
def start(scenario, make_candidate, tmp_path):
    def begin(inputs, outputs, threshold="0.6", asks=("temperature", "site", "hours")):
        (tmp_path / "model.onnx").write_text(json.dumps({"inputs": inputs, "outputs": outputs}), encoding="utf-8")
        candidate = make_candidate(adapter="onnx", entry="model.onnx", threshold=threshold, inputs=asks)
        return cell(scenario, candidate, tmp_path, FAKES)

    return begin


def scores(started, scenario, numbers=NUMBERS, codes=CODES):
    """Ask two rows whose scores lie in range, and return all answers."""
    with started as running:
        running.ready()
        numbers, codes = np.abs(numbers), np.abs(codes)
        return running.ask(numbers, codes, scenario.contract.output)


@pytest.mark.parametrize("kind", ["mean", "column", "pair"])
def test_one_matrix_in_the_order_asked_for(start, scenario, kind):
    answers = scores(start(MATRIX, [["label", I, "flag"], ["probabilities", F, kind]]), scenario)
    np.testing.assert_allclose(answers, [[0.75, 1], [1.25 / 3, 0]], rtol=1e-6)


def test_named_outputs_are_taken_by_name(start, scenario):
    outputs = [["other", F, "three"], ["decision", I, "flag"], ["score", F, "mean"]]
    answers = scores(start(MATRIX, outputs, threshold=None), scenario)
    np.testing.assert_allclose(answers, [[0.75, 1], [1.25 / 3, 0]], rtol=1e-6)


def test_the_models_own_decision_wins_over_the_threshold(start, scenario):
    outputs = [["decision", I, "flag"], ["score", F, "mean"]]
    assert scores(start(MATRIX, outputs, threshold="0.01"), scenario)[:, 1].tolist() == [1, 0]


def test_a_score_at_the_threshold_is_a_decision(start, scenario):
    assert scores(start(MATRIX, [["score", F, "mean"]], threshold="0.75"), scenario)[:, 1].tolist() == [1, 0]


def test_one_input_per_column_with_its_own_type_and_shape(start, scenario):
    inputs = [["hours", D, [None, 1]], ["site", I, [None]], ["temperature", F, [None]]]
    answers = scores(start(inputs, [["score", F, "mean"]]), scenario)
    np.testing.assert_allclose(answers[:, 0], [0.75, 1.25 / 3], rtol=1e-6)


def test_strings_receive_words_and_nothing_for_missing_and_unseen(start, scenario):
    with start([["site", S, [None, 1]]], [["score", F, "length"]], asks=("site",)) as running:
        running.ready()
        answers = running.ask(np.empty((5, 0)), [[0], [1], [2], [-1], [-2]], scenario.contract.output)
        np.testing.assert_allclose(answers[:, 0], [0.5, 0.5, 0.4, 0, 0], rtol=1e-6)


def test_a_wrong_count_is_sent_as_it_is(start, scenario):
    with start(MATRIX, [["score", F, "short"]]) as running:
        running.ready()
        with pytest.raises(BadReply) as caught:
            running.ask(np.abs(NUMBERS), np.abs(CODES), scenario.contract.output)
        assert caught.value.detail == "1 rows instead of 2"


@pytest.mark.parametrize(
    ("inputs", "outputs", "threshold", "told"),
    [
        (MATRIX, [["score", F, "mean"]], None, "give run.threshold in candidate.toml"),
        (MATRIX, [["a", F, "mean"], ["b", F, "mean"]], "0.5", "tensors of floats are ['a', 'b']"),
        (MATRIX, [["label", I, "flag"], ["p", "seq(map(int64,tensor(float)))", "mean"]], "0.5", "without zipmap"),
        ([["X", F, [None, 4]]], [["score", F, "mean"]], "0.5", "the model takes 4 columns, asks.inputs has 3"),
        (
            [["X", "tensor(bool)", [None, 3]]],
            [["score", F, "mean"]],
            "0.5",
            "['tensor(bool)'], which are not supported",
        ),
        ([["a", F, [None]], ["b", F, [None]]], [["score", F, "mean"]], "0.5", "inputs ['a', 'b'] are neither"),
        ([["X", I, [None, 3]]], [["score", F, "mean"]], "0.5", "inputs ['X'] are neither"),
    ],
)
def test_a_model_that_cannot_be_served_is_told_before_it_is_ready(start, inputs, outputs, threshold, told):
    with start(inputs, outputs, threshold) as running:
        text = running.end()
        assert told in text
        assert "模型" in text
        assert running.process.returncode == 65
        assert running.process.stdout.read() == b""


@pytest.mark.parametrize(
    ("inputs", "outputs", "told"),
    [
        (MATRIX, [["score", F, "three"]], "a tensor of shape (2, 3)"),
        (
            [["hours", I, [None]], ["site", I, [None]], ["temperature", I, [None]]],
            [["score", F, "mean"]],
            "wants whole",
        ),
        (
            [["hours", S, [None]], ["site", S, [None]], ["temperature", S, [None]]],
            [["score", F, "length"]],
            "as strings",
        ),
    ],
)
def test_what_only_a_row_can_show(start, inputs, outputs, told):
    with start(inputs, outputs) as running:
        running.ready()
        running.send(NUMBERS, CODES)
        assert told in running.end()


def test_a_missing_model_file(scenario, make_candidate, tmp_path):
    candidate = make_candidate(adapter="onnx", entry="model.onnx", threshold="0.5")
    with cell(scenario, candidate, tmp_path, FAKES) as running:
        assert "there is no model file model.onnx" in running.end()


def test_an_environment_without_onnxruntime_says_so(scenario, make_candidate, tmp_path):
    without = tmp_path / "without"
    without.mkdir()
    absent = "raise ModuleNotFoundError(\"No module named 'onnxruntime'\", name='onnxruntime')\n"
    (without / "onnxruntime.py").write_text(absent)
    with cell(scenario, make_candidate(adapter="onnx", entry="model.onnx"), tmp_path, without) as running:
        assert "there is no module onnxruntime" in running.end()


@pytest.mark.skipif(not (PACKAGES / "onnxruntime").exists(), reason="needs onnxruntime")
@pytest.mark.parametrize("name", ["matrix", "columns", "classifier"])
def test_real_models(scenario, make_candidate, tmp_path, name):
    """One function, sigmoid(t / 2 - h), three ways: a matrix; one input each and a decision; scikit-learn's export."""
    (tmp_path / "model.onnx").write_bytes((MODELS / f"{name}.onnx").read_bytes())
    asks = ("temperature", "hours")
    candidate = make_candidate(adapter="onnx", entry="model.onnx", threshold="0.6", inputs=asks)
    numbers = np.array([[2.0, 0.5], [-1.0, 0.25], [0.0, 0.0]])
    score = 1 / (1 + np.exp(-(0.5 * numbers[:, 0] - numbers[:, 1])))
    with cell(scenario, candidate, tmp_path) as running:
        running.ready()
        answers = running.ask(numbers, np.empty((3, 0)), scenario.contract.output)
        np.testing.assert_allclose(answers[:, 0], score, atol=1e-6)
        np.testing.assert_array_equal(answers[:, 1], score >= 0.6)
        assert running.end() == ""
