"""The nouns of a cell: what a spec refuses, how a reply is put together."""

from __future__ import annotations

import pytest
from cell_samples import LIMITS

from pilotbase.foundation.errors import FaultError
from pilotbase.supports.compute.cell import CellSpec, Mount, assemble


@pytest.mark.parametrize(
    "target", ["/usr", "/lib64", "/tmp", "/out", "/stage_one.py", "/proc", "/a/b", "a", "/", "/A", "/../x", "/x\n", ""]
)
def test_a_target_that_hides_a_part_of_the_cell_is_refused(target):
    with pytest.raises(FaultError):
        CellSpec(arguments=(), limits=LIMITS, files={target: b""})


def test_two_things_cannot_have_one_target(tmp_path):
    with pytest.raises(FaultError):
        CellSpec(arguments=(), limits=LIMITS, files={"/x": b""}, mounts=(Mount(source=tmp_path, target="/x"),))


def test_the_environment_comes_before_the_candidate_on_the_path(tmp_path):
    mounts = tuple(Mount(source=tmp_path, target=name) for name in ("/candidate", "/other", "/env"))
    assert CellSpec(arguments=(), limits=LIMITS, mounts=mounts).path == "/env:/candidate"
    assert CellSpec(arguments=(), limits=LIMITS).path == ""


def test_a_reply_is_asked_for_until_no_more_is_wanted():
    asked = []

    def expect(reply: bytes) -> int:
        asked.append(len(reply))
        return max(4, len(reply)) if len(reply) < 4 else 9

    assert assemble(bytearray(), expect) == 4
    assert assemble(bytearray(4), expect) == 5
    assert assemble(bytearray(9), expect) == 0
    assert asked == [0, 4, 9]


def test_wanting_less_than_was_read_is_a_fault_of_ours():
    with pytest.raises(FaultError):
        assemble(bytearray(5), lambda _: 4)
