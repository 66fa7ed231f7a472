"""A child process of level none, on any operating system: start, wait with its usage, kill with its group."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, cast

from pilotbase.pilot.trace import Usage

Stream = IO[bytes] | int

_LONGEST = 0.02  # seconds between two looks
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes; getrusage(2) counts in KiB save on macOS


class Child:
    """A process and what it used: lower bounds, of the process and the children that it waited for."""

    def __init__(
        self, command: list[str], folder: str, variables: Mapping[str, str], streams: tuple[Stream, Stream, Stream]
    ) -> None:
        """Start it in a session of its own, where the system has sessions."""
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command,
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            cwd=folder,
            env=dict(variables),
            start_new_session=True,
            bufsize=0,
        )
        self.wall = self.cpu = 0.0
        self.memory = 0

    @property
    def stdin(self) -> IO[bytes]:
        """Our end of its standard input."""
        return cast("IO[bytes]", self.process.stdin)

    @property
    def stdout(self) -> IO[bytes]:
        """Our end of its standard output."""
        return cast("IO[bytes]", self.process.stdout)

    @property
    def stderr(self) -> IO[bytes]:
        """Our end of its standard error."""
        return cast("IO[bytes]", self.process.stderr)

    @property
    def exit_code(self) -> int | None:
        """128 + n when signal n ended it; None while it runs."""
        code = self.process.returncode
        return code if code is None or code >= 0 else 128 - code

    def wait(self, seconds: float) -> bool:
        """Wait for the end; say whether it came in time."""
        deadline, pause = time.monotonic() + seconds, 0.001
        while not self._ended():
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
        return True

    def kill(self) -> None:
        """Kill the whole group, where the system has groups, and wait."""
        self.signal()
        while not self.wait(1):
            self.signal()

    def signal(self) -> None:
        """Kill the whole group without waiting; who is left of it after its leader's end is killed, too."""
        if sys.platform == "win32":
            self.process.kill()
            return
        with suppress(ProcessLookupError, PermissionError):  # macOS answers so for a group of zombies
            os.killpg(self.process.pid, signal.SIGKILL)

    def usage(self, stderr: int) -> Usage:
        """Return what it used. What this system does not tell is zero: all of these are lower bounds."""
        return Usage(wall=f"{self.wall:.3f}", cpu=f"{self.cpu:.3f}", memory=self.memory, processes=1, stderr=stderr)

    def _ended(self) -> bool:
        """Reap it if it has ended; on POSIX together with its usage."""
        if self.process.returncode is not None:
            return True
        if sys.platform == "win32":
            ended = self.process.poll() is not None
        else:
            pid, status, used = os.wait4(self.process.pid, os.WNOHANG)
            ended = pid != 0
            if ended:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.cpu = used.ru_utime + used.ru_stime
                self.memory = used.ru_maxrss * _MAXRSS_UNIT
        if ended:
            self.wall = time.monotonic() - self.began
        return ended
