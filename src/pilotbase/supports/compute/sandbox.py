"""A running cell of level full, from the host's side: exchange frames with it, end it, learn how it ended."""

from __future__ import annotations

import os
import select
import subprocess
import time
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, cast

from pilotbase.foundation.errors import FaultError
from pilotbase.foundation.text import Text
from pilotbase.pilot.trace import Failure, FailureKind, Usage
from pilotbase.supports.compute import remedies
from pilotbase.supports.compute.cell import CandidateFailed, CellLimits, Expect
from pilotbase.supports.compute.channel import Channel
from pilotbase.supports.compute.order import HANDSHAKE, REPORT_PATIENCE, Lines, Report

_TAIL = 64 << 10  # bytes of a job's standard output that are kept
_CLEARING = 120.0  # seconds that a supervisor may take to remove copied sources after its report
_BEYOND = Failure(kind="protocol", detail="bytes beyond the last reply")
_SIGNALLED = 128  # bwrap ends with 128 + n when signal n ended the command


class SandboxCell:
    """A running cell. See ``cell.Cell``."""

    def __init__(self, process: subprocess.Popen[bytes], control: int, channel: Channel, limits: CellLimits) -> None:
        """Own the supervisor's process and our ends of its pipes."""
        self._process = process
        self._control = control
        self._lines = Lines(control)
        self._channel = channel
        self._limits = limits
        self._opened = time.monotonic()
        self._answered = False
        self._failure: Failure | None = None
        self._beyond = False
        self._ended = False
        self._report: Report | None = None
        self.inner = 0
        """Process 1 of the cell, as the host numbers it."""

    @property
    def stderr(self) -> bytes:
        """The end of standard error; empty while the candidate runs."""
        return b64decode(self._report["stderr"]) if self._report else b""

    @property
    def ended(self) -> bool:
        """Whether the cell is empty and everything of it let go."""
        return self._ended

    def admit(self, bwrap: Path, hold: str = "") -> int:
        """Wait until the cell stands, then let the command run; return a held folder of the cell, -1 for none.

        Raises IsolationError when bubblewrap or stage one ended before that.
        """
        message = self._receive(HANDSHAKE + REPORT_PATIENCE)
        if "ready" not in message:
            report = self._end(message)
            raise remedies.refusal(b64decode(report["stderr"]).decode("utf-8", "replace"), bwrap)
        self.inner = message["ready"]
        held = os.open(f"/proc/{self.inner}/root{hold}", os.O_DIRECTORY | os.O_CLOEXEC) if hold else -1
        self._opened = time.monotonic()
        os.write(self._control, b"g")
        return held

    def exchange(self, frame: bytes | memoryview, expect: Expect, seconds: float) -> bytes:
        """Send a frame and return the reply. See ``cell.Cell``."""
        if self._failure is not None:
            raise CandidateFailed(self._failure)
        if self._ended:
            raise FaultError(Text(zh="沙箱已关闭", en="the cell is closed"))
        first = not self._answered
        deadline = self._opened + self._limits.start if first else time.monotonic() + seconds
        if not first and self._channel.unread():
            self._fail(_BEYOND)
        try:
            reply = self._channel.exchange(frame, expect, deadline)
        except TimeoutError:
            allowed = self._limits.start if first else seconds
            self._fail(Failure(kind="slow_start" if first else "slow_call", detail=f"no reply within {allowed:g} s"))
        except EOFError:
            self._fail(_why(self._finish(wait=True)))
        except CandidateFailed as error:
            self._fail(error.failure)
        self._answered = True
        return reply

    def close(self) -> Usage:
        """Kill the tree and return what it used. See ``cell.Cell``."""
        fresh = not self._ended
        report = self._finish()
        if fresh and self._beyond:
            self._failure = _BEYOND
            raise CandidateFailed(_BEYOND)
        return _usage(report)

    def abandon(self) -> None:
        """Empty the cell if that was not done yet."""
        if not self._ended:
            self._finish()

    def run_to_end(self, limit: int) -> tuple[bytes, Usage, Failure | None, int | None]:
        """For a job: give no input, read standard output to its end.

        Returns the end of the output, the usage, why it was stopped (or None), its exit code (None when stopped).
        """
        self._channel.end_requests()
        seen, tail = 0, b""
        while seen <= limit and (block := self._read_output()):
            seen, tail = seen + len(block), (tail + block)[-_TAIL:]
        if seen > limit:
            self._failure = Failure(kind="killed_output", detail=f"{seen} bytes on standard output, limit {limit}")
        report = self._finish(wait=seen <= limit)
        failure = self._failure or (_why(report) if report["reason"] else None)
        return tail, _usage(report), failure, report["status"]

    def _read_output(self) -> bytes:
        patience = self._limits.run + REPORT_PATIENCE
        if not select.select([self._channel.replies], [], [], patience)[0]:
            self._give_up("the supervisor did not hold the time limit")
        return os.read(self._channel.replies, 1 << 16)

    def _fail(self, failure: Failure) -> NoReturn:
        """Empty the cell, keep the failure, raise it."""
        self._failure = failure
        self._finish()
        raise CandidateFailed(failure) from None

    def _finish(self, *, wait: bool = False) -> Report:
        """Have the cell emptied and collect the report; with ``wait``, the cell is ending by itself."""
        if not self._ended:
            self._beyond = self._answered and self._channel.unread()
            if not wait:
                with suppress(OSError):  # it ended at this very moment; its report is on the way
                    os.write(self._control, b"c")
            self._end(self._receive(REPORT_PATIENCE))
        if self._report is None:
            raise FaultError(_DIED, found="no report")
        return self._report

    def _receive(self, seconds: float) -> dict[str, Any]:
        """Return the next message of the supervisor."""
        message = self._lines.receive() if select.select([self._control], [], [], seconds)[0] else None
        if message is None:
            self._give_up("no message")
        return message

    def _end(self, message: dict[str, Any]) -> Report:
        """Take the last message of the supervisor and let go of everything."""
        self._ended = True
        self._channel.close()
        os.close(self._control)
        self._process.wait(_CLEARING)
        if "fault" in message:
            raise FaultError(_DIED, found=message["fault"])
        report = cast("Report", message["report"])
        if report["left"]:
            raise FaultError(
                Text(zh="沙箱中的进程无法终止", en="processes of a cell would not die"), found=str(report["left"])
            )
        self._report = report
        return report

    def _give_up(self, found: str) -> NoReturn:
        """Kill a supervisor that does not answer; bubblewrap dies with its parent, and the cell with bubblewrap."""
        self._ended = True
        self._process.kill()
        self._process.wait()
        self._channel.close()
        os.close(self._control)
        raise FaultError(_DIED, found=found)


_DIED = Text(zh="沙箱的监督进程出错", en="the supervisor of a cell failed")


def _why(report: Report) -> Failure:
    """Return how a cell ended that nobody asked to end."""
    if report["reason"]:
        kind, detail = report["reason"]
        return Failure(kind=cast("FailureKind", kind), detail=detail)
    status = report["status"] or 0
    known = f"signal {status - _SIGNALLED}" if status > _SIGNALLED else f"exit code {status}"
    return Failure(kind="exited", detail=known)


def _usage(report: Report) -> Usage:
    return Usage(
        wall=f"{report['wall']:.3f}",
        cpu=f"{report['cpu']:.3f}",
        memory=report["memory"],
        processes=report["tasks"],
        stderr=report["written"],
    )
