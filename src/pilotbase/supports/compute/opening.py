"""Opening a cell of level full: lay out what it holds, make it reachable, start its supervisor.

What is opened here is not yet trusted: ``isolated`` opens it only where the self-test found every layer present.
"""

from __future__ import annotations

import math
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pilotbase.foundation.errors import InputError, IsolationError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.supports.compute import interpreter, machine, pool, program, seccomp, staging
from pilotbase.supports.compute.bubblewrap import Inside, arguments
from pilotbase.supports.compute.cell import INODE_LIMIT, STDERR_LIMIT, CellLimits, CellSpec
from pilotbase.supports.compute.channel import Channel, pipe
from pilotbase.supports.compute.interpreter import Interpreter
from pilotbase.supports.compute.order import Bounds, Order, send
from pilotbase.supports.compute.program import Program
from pilotbase.supports.compute.sandbox import SandboxCell
from pilotbase.supports.compute.staging import Stage

_PACKAGE = Path(__file__).parents[3]  # the folder that holds the package itself
_START = "import sys; sys.path.append(sys.argv[1]); from pilotbase.supports.compute.supervisor import main; main()"
_STAGE_ONE = "/stage_one.py"
_SLACK = 1 << 20  # bytes of the scratch tmpfs past its limit, so that the watchdog sees the limit passed
_SPARE = 8  # tasks: the kernel's bound lies above the watchdog's, which can say what happened
_OPEN_FILES = 256
_RESERVED = 1 << 30  # bytes of addresses that libraries reserve and never touch, such as one malloc arena a thread
_LOCKED = 64 << 10  # bytes of memory that may be locked


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard:
    """A writable /out for a job."""

    size: int = 0
    """Bytes; 0 = there is none."""
    files: int = 0


NO_YARD = Yard()


@contextmanager
def opened(spec: CellSpec, state: Path) -> Generator[SandboxCell]:
    """Open a cell; it is empty at the end of the block. Raises IsolationError when it cannot be had."""
    found = program.find()
    cell = _start(spec, state, found, NO_YARD)
    try:
        cell.admit(found.path)
        yield cell
    finally:
        cell.abandon()


@contextmanager
def opened_with_yard(spec: CellSpec, state: Path, yard: Yard) -> Generator[tuple[SandboxCell, int]]:
    """Open a cell that has a writable /out, and hold that folder as a descriptor that outlives the cell."""
    found = program.find()
    cell = _start(spec, state, found, yard)
    with ExitStack() as stack:
        stack.callback(cell.abandon)
        held = cell.admit(found.path, "/out")
        stack.callback(os.close, held)
        yield cell, held


def _start(spec: CellSpec, state: Path, found: Program, yard: Yard) -> SandboxCell:
    """Start the supervisor of a new cell and give it its order."""
    python = interpreter.find()
    code = seccomp.program(platform.machine())
    _refuse_labels(spec, python, state)
    with ExitStack() as theirs, ExitStack() as ours:  # descriptors: the supervisor's alone once it runs; our own
        seat = pool.take(state)
        if seat:
            theirs.callback(os.close, seat.lock)
        stage = staging.choose(drops=seat is not None)
        ours.callback(stage.discard)
        inside = _inside(spec, python, stage, yard, (code, theirs))
        gate, gate_inside = (_owned(end.detach(), theirs) for end in socket.socketpair())
        bounds = [f"{name}={value}" for name, value in hard_limits(spec.limits, yard).items()]
        command = [str(python.program), "-I", "-S", _STAGE_ONE, str(gate_inside), *bounds]
        command += ["--", str(python.program), *interpreter.FLAGS, *spec.arguments]
        stdin, requests = pipe()
        replies, stdout = pipe()
        order: Order = {
            "command": [_place_program(found, stage), *arguments(inside, command)],
            "stdin": _owned(stdin, theirs),
            "stdout": _owned(stdout, theirs),
            "gate": gate,
            "passed": [gate_inside, inside.seccomp, *inside.data.values()],
            "identity": {"uid": seat.uid, "gid": seat.uid} if seat else None,
            "staging": stage.order(),
            "bounds": _bounds(spec.limits, yard),
        }
        channel = Channel(requests, replies)
        ours.callback(channel.close)
        process, control = _supervise(order, [seat.lock] if seat else [])
        ours.pop_all()
    return SandboxCell(process, control, channel, spec.limits)


def _supervise(order: Order, locks: list[int]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a supervisor in a bare interpreter; return it and our end of its control pipe."""
    ends = socket.socketpair()
    control, theirs = (end.detach() for end in ends)
    bare = ["-I", "-S", "-X", "utf8", *(["-B"] if sys.dont_write_bytecode else [])]
    try:
        process = subprocess.Popen(
            [sys.executable, *bare, "-c", _START, str(_PACKAGE), str(theirs)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            pass_fds=[theirs, order["stdin"], order["stdout"], order["gate"], *order["passed"], *locks],
            start_new_session=True,  # Ctrl-C is for the host, which then closes its cells
        )
    finally:
        os.close(theirs)
    send(control, order)
    return process, control


def _inside(
    spec: CellSpec, python: Interpreter, stage: Stage, yard: Yard, filter_and_owner: tuple[bytes, ExitStack]
) -> Inside:
    """Lay out what the cell holds."""
    code, owner = filter_and_owner
    binds = [(stage.place(folder, python.hidden), str(folder)) for folder in python.folders]
    binds += [(stage.place_tree(_real(mount.source)), mount.target) for mount in spec.mounts]
    files = {_STAGE_ONE: Path(__file__).with_name("stage_one.py").read_bytes(), **spec.files}
    path = {"PYTHONPATH": spec.path} if spec.path else {}
    return Inside(
        binds=tuple(binds),
        data={target: _given(content, owner) for target, content in files.items()},
        variables=machine.variables({**path, **spec.variables}),
        hidden=python.hidden,
        scratch=spec.limits.scratch + _SLACK,
        out=yard.size,
        seccomp=_given(code, owner),
    )


def _real(source: Path) -> Path:
    """Return the folder itself. Raises InputError when it is not there."""
    try:
        return source.resolve(strict=True)
    except OSError as error:
        raise InputError(
            Text(zh="找不到要放入沙箱的文件夹", en="a folder for the cell is not there"),
            place=Place(file=str(source)),
            found=printable(str(error)),
        ) from error


def _refuse_labels(spec: CellSpec, python: Interpreter, state: Path) -> None:
    """Layer 1: the state folder, where hidden data may lie, must not be inside anything that the cell sees."""
    hidden = state.resolve()
    for source in (interpreter.SYSTEM, *python.folders, *(mount.source.resolve() for mount in spec.mounts)):
        if hidden.is_relative_to(source):
            raise IsolationError(
                Text(zh="状态文件夹位于沙箱可见的文件夹内", en="the state folder lies in a folder that the cell sees"),
                place=Place(file=str(state)),
                found=printable(f"{source}"),
                expected=Text(zh="沙箱看不到的位置", en="a place that the cell does not see"),
                remedy=Text(
                    zh="请用 PILOTBASE_HOME 把状态文件夹移到别处，或移动送测应用的文件夹",
                    en="move the state folder with PILOTBASE_HOME, or move the candidate's folder",
                ),
            )


def _place_program(found: Program, stage: Stage) -> str:
    """Return the path of bwrap for the launcher; the packaged one is placed together with its library."""
    if found.folder is None:
        return str(found.path)
    parts = [part for part in found.parts if (found.folder / part).exists()]
    placed = {part: stage.place_as(found.folder / part, f"program/{part}") for part in parts}
    first, *rest = found.path.relative_to(found.folder).parts
    return str(Path(placed[first], *rest))


def hard_limits(limits: CellLimits, yard: Yard = NO_YARD) -> dict[str, int]:
    """Return what stage one sets as soft = hard; per process, so the supervisor's bounds are the tree's."""
    return {
        "AS": 4 * limits.memory + _RESERVED,
        "NPROC": limits.processes + _SPARE,
        "FSIZE": max(limits.scratch + 2 * _SLACK, yard.size),
        "NOFILE": _OPEN_FILES,
        "CPU": math.ceil(limits.run * (os.cpu_count() or 1)) + 1,
        "CORE": 0,
        "MSGQUEUE": 0,
        "MEMLOCK": _LOCKED,
    }


def _bounds(limits: CellLimits, yard: Yard) -> Bounds:
    return {
        "memory": limits.memory,
        "scratch": limits.scratch,
        "inodes": INODE_LIMIT,
        "out_inodes": yard.files,
        "tasks": limits.processes,
        "stderr": STDERR_LIMIT,
        "run": limits.run,
    }


def _given(content: bytes, owner: ExitStack) -> int:
    """Return a descriptor from which bwrap reads this content."""
    handle = _owned(os.memfd_create("given"), owner)
    with os.fdopen(os.dup(handle), "wb") as stream:
        stream.write(content)
    os.lseek(handle, 0, os.SEEK_SET)
    return handle


def _owned(handle: int, owner: ExitStack) -> int:
    owner.callback(os.close, handle)
    return handle
