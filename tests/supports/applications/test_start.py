from __future__ import annotations

import ast
import json

import pytest

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import InputError
from pilotbase.supports.applications.start import configuration, shim


def test_configuration_says_which_column_comes_in_which_block(scenario, make_candidate):
    data = configuration(scenario, make_candidate(inputs=("site", "hours", "temperature"), threshold="0.25"))
    tree = json.loads(data)
    assert canonical_bytes(tree) == data
    assert tree == {
        "schema": "pilotbase/start/1",
        "adapter": "python",
        "entry": "predict:predict",
        "inputs": ["site", "hours", "temperature"],
        "numbers": ["hours", "temperature"],
        "categories": ["site"],
        "vocabulary": {"site": ["north", "south", "west"]},
        "outputs": ["score", "decision"],
        "threshold": "0.25",
    }


def test_without_a_threshold(scenario, make_candidate):
    assert json.loads(configuration(scenario, make_candidate()))["threshold"] is None


def test_an_unknown_column_is_named_with_its_neighbour(scenario, make_candidate):
    with pytest.raises(InputError, match="did you mean hours") as caught:
        configuration(scenario, make_candidate(inputs=("hour",)))
    assert caught.value.place.field == "asks.inputs"


def test_no_column_at_all_is_refused(scenario, make_candidate):
    with pytest.raises(InputError, match="asks for no input"):
        configuration(scenario, make_candidate(inputs=()))


@pytest.mark.parametrize("adapter", ["python", "onnx"])
def test_the_shim_is_one_file_that_imports_nothing_of_ours(make_candidate, adapter):
    source = shim(make_candidate(adapter=adapter))
    tree = ast.parse(source)
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not [name for name in imported if name and name.startswith("pilotbase")]
    assert source.endswith(b"\nserve(load)\n")


def test_each_adapter_has_its_own_shim(make_candidate):
    assert shim(make_candidate(adapter="python")) != shim(make_candidate(adapter="onnx"))
