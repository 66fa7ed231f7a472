"""Frames over a pair of pipes, both ways at once, with one deadline: two full pipes can never hold the host."""

from __future__ import annotations

import os
import select
import sys
import time
from contextlib import suppress

from pilotbase.supports.compute.cell import Expect, assemble

if sys.platform == "linux":
    import fcntl

PIPE = 1 << 20  # bytes that a pipe should hold; less is slower, not wrong
_BLOCK = 1 << 20


def pipe() -> tuple[int, int]:
    """Return the ends of a pipe, as large as the kernel allows."""
    ends = os.pipe()
    with suppress(OSError):  # a user's allowance of pipe pages may be used up
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, PIPE)
    return ends


class Channel:
    """The host's ends of a cell's standard input and output."""

    def __init__(self, requests: int, replies: int) -> None:
        """Own both descriptors."""
        self.requests = requests
        self.replies = replies
        os.set_blocking(requests, False)
        os.set_blocking(replies, False)
        self._poll = select.poll()
        self._poll.register(replies, select.POLLIN)

    def exchange(self, frame: bytes | memoryview, expect: Expect, deadline: float) -> bytes:
        """Send the whole frame and read the whole reply.

        Raises TimeoutError at the deadline (monotonic seconds), EOFError when the other end is gone.
        """
        pending = memoryview(frame).cast("B") if len(frame) else memoryview(b"")
        reply = bytearray()
        missing = assemble(reply, expect)
        self._poll.register(self.requests, select.POLLOUT)
        try:
            while pending or missing:
                if not pending:
                    self._unregister()
                self._await(deadline)
                pending = self._write(pending)
                if missing and (block := self._read(missing)):
                    reply += block
                    missing -= len(block)
                    if not missing:
                        missing = assemble(reply, expect)
        finally:
            self._unregister()
        return bytes(reply)

    def unread(self) -> bool:
        """Say whether bytes wait that nobody asked for."""
        try:
            return self.replies >= 0 and bool(self._read(1))
        except EOFError:
            return False

    def end_requests(self) -> None:
        """Close the way in: the other side reads the end of its input."""
        if self.requests >= 0:
            os.close(self.requests)
            self.requests = -1

    def close(self) -> None:
        """Close both ends; may be called again."""
        self.end_requests()
        if self.replies >= 0:
            os.close(self.replies)
            self.replies = -1

    def _await(self, deadline: float) -> None:
        """Wait until something can be written or read."""
        rest = deadline - time.monotonic()
        if rest <= 0 or not self._poll.poll(rest * 1000):
            raise TimeoutError

    def _unregister(self) -> None:
        with suppress(KeyError):
            self._poll.unregister(self.requests)

    def _write(self, pending: memoryview) -> memoryview:
        if not pending:
            return pending
        try:
            return pending[os.write(self.requests, pending) :]
        except BlockingIOError:
            return pending
        except BrokenPipeError as error:
            raise EOFError from error

    def _read(self, wanted: int) -> bytes:
        try:
            block = os.read(self.replies, min(wanted, _BLOCK))
        except BlockingIOError:
            return b""
        if not block:
            raise EOFError
        return block
