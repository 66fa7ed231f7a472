"""What the host orders from a supervisor and what the supervisor reports: one line of JSON each, on a trusted pipe.

Standard library only: the supervisor imports this file in a bare interpreter.
"""

from __future__ import annotations

import json
import os
from typing import Any, Literal, TypedDict

_BLOCK = 1 << 16
HANDSHAKE = 30.0  # seconds from the start of the launcher to the gate; past it the platform is at fault
REPORT_PATIENCE = 15.0  # seconds that the host waits for a report; a little longer than a tree may take to die


class StagedItem(TypedDict):
    """One thing that the launcher must be able to bind after it has dropped its rights."""

    source: str
    name: str
    """Place below the staging root."""
    copied: bool
    """Copied because its own permissions shut others out; else bound."""
    hidden: list[str]
    """Folders of it whose content a cell never sees: a copy leaves them empty."""


class Staging(TypedDict):
    """Where bind sources are made reachable for the pool uid. FORMATS section 10."""

    by: Literal["mount", "copy"]
    root: str
    items: list[StagedItem]


class Identity(TypedDict):
    """Whom the launcher becomes."""

    uid: int
    gid: int


class Bounds(TypedDict):
    """What the supervisor watches."""

    memory: int
    scratch: int
    inodes: int
    out_inodes: int
    """Files in /out; 0 = there is no such folder."""
    tasks: int
    stderr: int
    run: float


class Order(TypedDict):
    """All that a supervisor needs to know."""

    command: list[str]
    stdin: int
    stdout: int
    gate: int
    """The supervisor's end; the other end is among ``passed``."""
    passed: list[int]
    """Descriptors that the launched program inherits besides 0, 1 and 2."""
    identity: Identity | None
    staging: Staging | None
    bounds: Bounds


class Report(TypedDict):
    """How a cell ended."""

    launched: bool
    reason: list[str] | None
    """Failure kind and detail when the supervisor stopped the candidate."""
    status: int | None
    """Exit code of the cell when it ended by itself."""
    left: int
    """Processes that would not die."""
    wall: float
    cpu: float
    memory: int
    tasks: int
    written: int
    """Bytes on standard error."""
    stderr: str
    """The end of standard error, base64."""


def send(handle: int, message: Any) -> None:
    """Write one line."""
    data = memoryview(json.dumps(message).encode() + b"\n")
    while data:
        data = data[os.write(handle, data) :]


class Lines:
    """Lines of JSON read from a descriptor."""

    def __init__(self, handle: int) -> None:
        """Read from this descriptor."""
        self._handle = handle
        self._rest = b""

    def receive(self) -> Any:
        """Return the next message, None at the end of the stream. Blocks."""
        while b"\n" not in self._rest:
            block = os.read(self._handle, _BLOCK)
            if not block:
                return None
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)
