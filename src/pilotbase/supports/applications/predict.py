"""The predict contract, host side: frames out, frames in, and the checks that no sandbox replaces.

Host to candidate: a u64 row count, then a float64 block n x p and an int32 block n x q, C order. Candidate to host: a
u64 row count, then a float64 block n x k. All little-endian; FORMATS section 10. A reply is hostile bytes: its count is
checked before its body is read, and nothing but ``numpy.frombuffer`` ever looks at it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pilotbase.foundation.errors import FaultError
from pilotbase.foundation.text import Text
from pilotbase.pilot.scenario import Output
from pilotbase.pilot.trace import Failure, FailureKind

HEAD = 8  # bytes of the row count
_WIDTH = 8  # bytes of one answer


class BadReply(Exception):  # noqa: N818 - the candidate's failure, a value to record, not an error of ours
    """A reply that breaks the contract: the candidate's failure."""

    def __init__(self, kind: FailureKind, detail: str) -> None:
        """Keep what failed, and a short fact about it that the candidate did not write."""
        super().__init__(f"{kind}: {detail}")
        self.kind: FailureKind = kind
        self.detail = detail

    @property
    def failure(self) -> Failure:
        """The failure as it is recorded."""
        return Failure(kind=self.kind, detail=self.detail)


def encode(numbers: NDArray[np.float64], codes: NDArray[np.int32]) -> bytes:
    """Return the frame of one request.

    Args:
        numbers: (n, p), NaN missing.
        codes: (n, q), -1 missing, -2 unseen.

    Raises:
        FaultError: the blocks do not have the same number of rows.

    """
    if len(numbers) != len(codes):
        raise FaultError(
            Text(zh="两块输入的行数不同", en="the two blocks do not have the same number of rows"),
            found=f"{len(numbers)}, {len(codes)}",
        )
    # C-contiguous little-endian blocks pass through as they are; join is the one copy.
    blocks = [np.ascontiguousarray(numbers, dtype="<f8"), np.ascontiguousarray(codes, dtype="<i4")]
    return b"".join(
        (len(numbers).to_bytes(HEAD, "little"), *(block.reshape(-1).view(np.uint8).data for block in blocks))
    )


def expect(rows: int, columns: int) -> Callable[[bytes], int]:
    """Return what tells a reader how many bytes the reply has in all, given those that have arrived.

    It asks for the head first, then for the body that goes with it. It raises BadReply as soon as the head names
    another row count: before anything of that size is read.
    """

    def wanted(arrived: bytes) -> int:
        if len(arrived) < HEAD:
            return HEAD
        count = int.from_bytes(arrived[:HEAD], "little")
        if count != rows:
            raise BadReply("wrong_count", f"{count} rows instead of {rows}")
        return HEAD + rows * columns * _WIDTH

    return wanted


expect_ready = expect(0, 0)
"""A candidate says that it is ready by a frame of no rows, before the first request."""


def decode(reply: bytes, rows: int, outputs: tuple[Output, ...]) -> NDArray[np.float64]:
    """Return the answers of one reply, (rows, k), columns as in ``outputs``, read-only.

    Raises BadReply: wrong count, not finite, out of range, a decision other than 0 and 1, too short or too long.
    """
    wanted = expect(rows, len(outputs))(reply)
    if len(reply) != wanted:
        raise BadReply("protocol", f"{len(reply)} bytes instead of {wanted}")
    answers = np.frombuffer(reply, dtype="<f8", offset=HEAD).reshape(rows, len(outputs))
    for number, output in enumerate(outputs):
        column = answers[:, number]
        _refuse("not_finite", output, ~np.isfinite(column))
        _refuse("out_of_range", output, (column < float(output.low)) | (column > float(output.high)))
        if output.name == "decision":
            _refuse("out_of_range", output, (column != 0) & (column != 1))
    return answers


def _refuse(kind: FailureKind, output: Output, wrong: NDArray[np.bool_]) -> None:
    """Raise BadReply if anything is wrong, saying how much and where first."""
    if wrong.any():
        raise BadReply(kind, f"{output.name}: {int(wrong.sum())} of {len(wrong)} rows, first {int(np.argmax(wrong))}")
