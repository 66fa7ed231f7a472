"""The transparency log: proofs that a leaf is in the log, and that the log only ever grew.

Proofs are made from all leaf hashes and checked from roots alone, so anyone who kept one old root can tell whether a
base rewrote its history. Leaf and node hashes are in ``foundation/digests``.

Source  RFC 6962 section 2.1.1 (inclusion), 2.1.2 (consistency); RFC 9162 sections 2.1.3.2 and 2.1.4.2 (checking).
Shapes  leaves: leaf hashes, 32 bytes each, in log order; a proof: sibling hashes, 32 bytes each, leaf to root.
Errors  FaultError for an index or size outside the log. A proof that does not hold is False, whatever its length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pilotbase.foundation.digests import merkle_leaf, merkle_root
from pilotbase.foundation.errors import FaultError
from pilotbase.foundation.text import Text


def statement_leaf(statement_digest: str) -> bytes:
    """Return the leaf hash of a statement: the leaf's data are the 32 bytes of the statement's SHA-256."""
    return merkle_leaf(bytes.fromhex(statement_digest))


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the log's root over its leaf hashes; an empty log has one too."""
    return merkle_root(leaves)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of one leaf (counted from 0), RFC 6962 section 2.1.1."""
    if not 0 <= index < len(leaves):
        raise FaultError(_OUTSIDE, found=f"{index} / {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), root(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), root(leaves[:split])]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the proof that the first ``old_size`` leaves are still there, RFC 6962 section 2.1.2."""
    if not 0 <= old_size <= len(leaves):
        raise FaultError(_OUTSIDE, found=f"{old_size} / {len(leaves)}")
    if old_size in (0, len(leaves)):
        return []  # the empty log is part of every log, and a log of itself
    return _subproof(leaves, old_size, told=True)


_OUTSIDE = Text(zh="日志中没有这个位置", en="the log has no such position")


def _subproof(leaves: Sequence[bytes], old_size: int, *, told: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b); ``told`` = the reader knows this subtree's root already."""
    if old_size == len(leaves):
        return [] if told else [root(leaves)]
    split = _split(len(leaves))
    if old_size <= split:
        return [*_subproof(leaves[:split], old_size, told=told), root(leaves[split:])]
    return [*_subproof(leaves[split:], old_size - split, told=False), root(leaves[:split])]


def _split(size: int) -> int:
    """Return the largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Check that the leaf hash stands at ``index`` of the log with this size and root, RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    place, last, state = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False  # the path is longer than the tree is high
        if place & 1 or place == last:
            state = _node(sibling, state)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            state = _node(state, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and state == expected


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Check that the log with the new root begins with the whole log of the old root, RFC 9162 section 2.1.4.2."""
    if not 0 <= old_size <= new_size:
        return False
    if old_size == 0:
        return not proof and old_root == root([]) and (new_size > 0 or new_root == old_root)
    if old_size == new_size:
        return not proof and old_root == new_root
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)  # the old log is one full subtree, so the proof leaves its root out
    return bool(path) and _fold(old_size - 1, new_size - 1, path) == (old_root, new_root)


def _fold(place: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Rebuild old and new root from one path; None when the path does not have the length of one."""
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = _node(sibling, old), _node(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = _node(new, sibling)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
