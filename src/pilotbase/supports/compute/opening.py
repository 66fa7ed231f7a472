"""Opening a cell of level full: lay out what it holds, make it reachable, start its supervisor.

What is opened here is not yet trusted: ``isolated`` opens it only where the self-test found every layer present.
"""

from __future__ import annotations

import math
import os
import platform
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pilotbase.foundation.errors import IsolationError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.supports.compute import interpreter, linux, machine, pool, program, seccomp
from pilotbase.supports.compute.bubblewrap import Inside, Stage, arguments
from pilotbase.supports.compute.cell import INODE_LIMIT, STDERR_LIMIT, CellLimits, CellSpec
from pilotbase.supports.compute.channel import Channel, pipe
from pilotbase.supports.compute.interpreter import Interpreter
from pilotbase.supports.compute.order import Order, Staging, send
from pilotbase.supports.compute.program import Program
from pilotbase.supports.compute.sandbox import SandboxCell

_PACKAGE = Path(__file__).parents[3]  # the folder that holds the package itself
_START = "import sys; sys.path.append(sys.argv[1]); from pilotbase.supports.compute.supervisor import main; main()"
_STAGE_ONE = "/stage_one.py"
_SLACK = 1 << 20  # bytes of the scratch tmpfs past its limit, so that the watchdog sees the limit passed
_SPARE = 8  # tasks: the kernel's bound lies above the watchdog's, which can say what happened
_MOUNTED = "/tmp"  # noqa: S108 - covered by a tmpfs in the launcher's own mount namespace only
_COPIES = Path("/var/tmp")  # noqa: S108 - FORMATS section 10: never below a folder that others cannot enter


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard:
    """A writable /out for a job."""

    size: int
    """Bytes."""
    files: int


@contextmanager
def opened(spec: CellSpec, state: Path) -> Iterator[SandboxCell]:
    """Open a cell; it is emptied at the end of the block. Raises IsolationError when it cannot be had."""
    found = program.find()
    cell = _start(spec, state, found, None)
    try:
        cell.admit(found.path)
        yield cell
    finally:
        if not cell.ended:
            cell.close_quietly()


@contextmanager
def opened_with_yard(spec: CellSpec, state: Path, yard: Yard) -> Iterator[tuple[SandboxCell, int]]:
    """Open a cell that has a writable /out; with it comes that folder as a descriptor, readable after the end."""
    found = program.find()
    cell = _start(spec, state, found, yard)
    held = -1
    try:
        held = cell.admit(found.path, "/out")
        yield cell, held
    finally:
        if not cell.ended:
            cell.close_quietly()
        if held >= 0:
            os.close(held)


def _start(spec: CellSpec, state: Path, found: Program, yard: Yard | None) -> SandboxCell:
    """Start the supervisor of a new cell and give it its order."""
    python = interpreter.find()
    code = seccomp.program(platform.machine())
    refuse_labels(spec, python, state)
    with ExitStack() as theirs:  # descriptors that are only the supervisor's once it runs
        seat = pool.take(state)
        if seat:
            theirs.callback(os.close, seat.lock)
        staging = _staging(seat)
        stage = Stage(staging["root"] if staging else "")
        data = {_STAGE_ONE: Path(__file__).with_name("stage_one.py").read_bytes(), **spec.files}
        inside = Inside(
            binds=_binds(spec, python, stage, staging),
            data={target: _given(content, theirs) for target, content in data.items()},
            variables=machine.variables({**({"PYTHONPATH": spec.path} if spec.path else {}), **spec.variables}),
            hidden=python.hidden,
            scratch=spec.limits.scratch + _SLACK,
            out=yard.size if yard else 0,
            seccomp=_given(code, theirs),
        )
        bwrap = _place_program(found, stage)
        if staging:
            staging["items"] = stage.items
        gate, gate_inside = (end.detach() for end in socket.socketpair())
        theirs.callback(os.close, gate)
        theirs.callback(os.close, gate_inside)
        command = [str(python.program), "-I", "-S", _STAGE_ONE, str(gate_inside), *_hard_limits(spec.limits, yard)]
        command += ["--", str(python.program), *interpreter.FLAGS, *spec.arguments]
        stdin, requests = pipe()
        theirs.callback(os.close, stdin)
        replies, stdout = pipe()
        theirs.callback(os.close, stdout)
        order: Order = {
            "command": [bwrap, *arguments(inside, command)],
            "stdin": stdin,
            "stdout": stdout,
            "gate": gate,
            "passed": [gate_inside, inside.seccomp, *inside.data.values()],
            "identity": {"uid": seat.uid, "gid": seat.uid} if seat else None,
            "staging": staging,
            "bounds": _bounds(spec.limits, yard),
        }
        channel = Channel(requests, replies)
        process, control = _supervise(order, [seat.lock] if seat else [])
    return SandboxCell(process, control, channel, spec.limits)
