"""Pipes read and written by threads, for systems that cannot wait on a pipe with a deadline."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from pilotbase.supports.compute.cell import Expect, assemble

_BLOCK = 1 << 16
_AHEAD = 1 << 20  # bytes that are read before anyone asks for them; beyond, the candidate waits
_TAIL = 16 << 10  # bytes of standard error that are kept


class Inbox(threading.Thread):
    """What came from the candidate."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Read this stream in the background."""
        super().__init__(daemon=True)
        self._stream = stream
        self._news = threading.Condition()
        self._held = bytearray()
        self._room = _AHEAD
        self._over = False
        self.start()

    def run(self) -> None:
        """Read until the end; pause while too much waits."""
        while block := _read(self._stream):
            with self._news:
                self._held += block
                self._news.notify_all()
                self._news.wait_for(lambda: len(self._held) < self._room or self._over)
        with self._news:
            self._over = True
            self._news.notify_all()

    def unread(self) -> bool:
        """Say whether bytes wait that nobody asked for."""
        with self._news:
            return bool(self._held)

    def take(self, expect: Expect, deadline: float) -> bytes:
        """Return one reply. Raises TimeoutError at the deadline (monotonic seconds), EOFError at the end."""
        reply = bytearray()
        missing = assemble(reply, expect)
        while missing:
            reply += self._take(missing, deadline)
            missing = assemble(reply, expect)
        return bytes(reply)

    def stop(self) -> None:
        """Let the thread end when its stream does."""
        with self._news:
            self._over = True
            self._news.notify_all()

    def _take(self, wanted: int, deadline: float) -> bytes:
        with self._news:
            self._room = max(wanted, _AHEAD)
            self._news.notify_all()
            in_time = self._news.wait_for(
                lambda: len(self._held) >= wanted or self._over, timeout=max(0.0, deadline - time.monotonic())
            )
            if len(self._held) < wanted:
                raise EOFError if in_time else TimeoutError
            taken = bytes(self._held[:wanted])
            del self._held[:wanted]
            self._news.notify_all()
            return taken


class Feed(threading.Thread):
    """What goes to the candidate."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write to this stream in the background."""
        super().__init__(daemon=True)
        self._stream = stream
        self._frames: queue.SimpleQueue[bytes | memoryview | None] = queue.SimpleQueue()
        self._written = threading.Event()
        self.start()

    def run(self) -> None:
        """Write frame after frame; a reader that is gone shows as the end of its replies."""
        with suppress(OSError, ValueError):
            while (frame := self._frames.get()) is not None:
                view = memoryview(frame).cast("B") if len(frame) else memoryview(b"")
                while view:
                    view = view[os.write(self._stream.fileno(), view) :]
                self._written.set()

    def send(self, frame: bytes | memoryview) -> None:
        """Hand a frame over."""
        self._written.clear()
        self._frames.put(frame)

    def wait(self, deadline: float) -> None:
        """Wait until the frame is written. Raises TimeoutError."""
        if not self._written.wait(max(0.0, deadline - time.monotonic())):
            raise TimeoutError

    def stop(self) -> None:
        """Let the thread end."""
        self._frames.put(None)


class Drain(threading.Thread):
    """Standard error: counted, its end kept, its excess told."""

    def __init__(self, stream: IO[bytes], limit: int, excess: Callable[[int], None]) -> None:
        """Read this stream in the background; call ``excess`` once, past the limit."""
        super().__init__(daemon=True)
        self._stream = stream
        self._limit = limit
        self._excess = excess
        self.count = 0
        self.tail = b""
        self.start()

    def run(self) -> None:
        """Read until the end."""
        while block := _read(self._stream):
            told = self.count > self._limit
            self.count += len(block)
            self.tail = (self.tail + block)[-_TAIL:]
            if self.count > self._limit and not told:
                self._excess(self.count)


def _read(stream: IO[bytes]) -> bytes:
    try:
        return os.read(stream.fileno(), _BLOCK)
    except (OSError, ValueError):  # closed by us
        return b""
