"""The log: every inclusion and consistency proof up to 65 leaves holds, and only for what it proves."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.evidence.log import (
    consistency_proof,
    inclusion_proof,
    root,
    statement_leaf,
    verify_consistency,
    verify_inclusion,
)
from pilotbase.foundation.digests import merkle_leaf, sha256
from pilotbase.foundation.errors import FaultError

MOST = 65
LEAVES = [merkle_leaf(bytes([number])) for number in range(MOST)]
ROOTS = [root(LEAVES[:size]) for size in range(MOST + 1)]
OTHER = merkle_leaf(b"another")
EVERY = [(size, index) for size in range(1, MOST + 1) for index in range(size)]
PAIRS = [(new, old) for new in range(MOST + 1) for old in range(new + 1)]


def test_every_inclusion_proof_holds_for_its_leaf_place_size_and_root_only():
    for size, index in EVERY:
        proof = inclusion_proof(LEAVES[:size], index)
        assert verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
        assert not verify_inclusion(OTHER, index, size, proof, ROOTS[size])
        assert not verify_inclusion(LEAVES[index], index, size, proof, OTHER)
        assert not verify_inclusion(LEAVES[index], index, size, [*proof, OTHER], ROOTS[size])
        if proof:
            assert not verify_inclusion(LEAVES[index], index, size, proof[:-1], ROOTS[size])
            assert not verify_inclusion(LEAVES[index], index, size, proof[1:], ROOTS[size])


def test_a_proof_does_not_hold_at_any_other_place():
    for size in (1, 2, 3, 7, 8, 33):
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            held = [
                other
                for other in range(-1, size + 2)
                if verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
            ]
            assert held == [index]


def test_every_consistency_proof_holds_for_its_sizes_and_roots_only():
    for new, old in PAIRS:
        proof = consistency_proof(LEAVES[:new], old)
        assert verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)
        assert not verify_consistency(old, new, OTHER, ROOTS[new], proof)
        assert not verify_consistency(old, new, ROOTS[old], ROOTS[new], [*proof, OTHER])
        if old:
            assert not verify_consistency(old, new, ROOTS[old], OTHER, proof)
        for place in range(len(proof)):
            assert not verify_consistency(old, new, ROOTS[old], ROOTS[new], proof[:place] + proof[place + 1 :])
            assert not verify_consistency(
                old, new, ROOTS[old], ROOTS[new], [*proof[:place], OTHER, *proof[place + 1 :]]
            )


def test_a_proof_of_another_length_than_the_sizes_ask_for_never_holds():
    # A root does not hold its size: of two sizes with paths of one shape, only a signed size tells which is meant.
    for new, old in PAIRS[: 20 * 20 // 2]:
        proof = consistency_proof(LEAVES[:new], old)
        for other in range(old, 40):
            if len(consistency_proof(LEAVES[:other], old)) != len(proof):
                assert not verify_consistency(old, other, ROOTS[old], ROOTS[new], proof)
    for size, index in EVERY[: 20 * 20 // 2]:
        path = inclusion_proof(LEAVES[:size], index)
        for other in range(index + 1, 40):
            if len(inclusion_proof(LEAVES[:other], index)) != len(path):
                assert not verify_inclusion(LEAVES[index], index, other, path, ROOTS[size])


def test_a_rewritten_history_has_no_proof():
    for old in range(1, 20):
        for changed in range(old):
            rewritten = [*LEAVES[:changed], OTHER, *LEAVES[changed + 1 : 20]]
            proof = consistency_proof(rewritten, old)
            assert not verify_consistency(old, 20, ROOTS[old], root(rewritten), proof)


@given(st.integers(-2, 10), st.integers(-2, 10), st.lists(st.sampled_from([*LEAVES[:4], *ROOTS[:4]]), max_size=5))
def test_no_made_up_proof_of_consistency_holds(old, new, proof):
    if verify_consistency(old, new, OTHER, ROOTS[3], proof):
        raise AssertionError((old, new, proof))


def test_the_proofs_of_the_reference_data():
    # RFC 6962 section 2.1.3, spelled out for its example of seven leaves a..j; here by the tree's own nodes.
    seven = LEAVES[:7]
    a, b, c, d, e, f, j = seven
    g, h, i = root([a, b]), root([c, d]), root([e, f])
    k, l = root([a, b, c, d]), root([e, f, j])  # noqa: E741 - the RFC's own names
    assert inclusion_proof(seven, 0) == [b, h, l]
    assert inclusion_proof(seven, 3) == [c, g, l]
    assert inclusion_proof(seven, 4) == [f, j, k]
    assert inclusion_proof(seven, 6) == [i, k]
    assert consistency_proof(seven, 3) == [c, d, g, l]
    assert consistency_proof(seven, 4) == [l]
    assert consistency_proof(seven, 6) == [i, j, k]


@pytest.mark.parametrize(("size", "index"), [(0, 0), (1, 1), (3, -1), (3, 3)])
def test_there_is_no_proof_outside_the_log(size, index):
    with pytest.raises(FaultError):
        inclusion_proof(LEAVES[:size], index)


@pytest.mark.parametrize(("size", "old"), [(0, 1), (3, 4), (3, -1)])
def test_there_is_no_consistency_with_a_log_that_never_was(size, old):
    with pytest.raises(FaultError):
        consistency_proof(LEAVES[:size], old)


@pytest.mark.parametrize(("old", "new"), [(-1, -1), (-1, 3), (4, 3), (-2, 0)])
def test_impossible_sizes_hold_nothing(old, new):
    assert not verify_consistency(old, new, ROOTS[3], ROOTS[3], [])
    assert not verify_inclusion(LEAVES[0], old, new, [], ROOTS[1])


def test_a_statements_leaf_is_the_hash_of_its_32_bytes():
    statement = os.urandom(100)
    assert statement_leaf(sha256(statement)) == merkle_leaf(bytes.fromhex(sha256(statement)))
