"""The supervisor: one small process for each cell, which starts it, watches it, and leaves nothing of it alive.

It is a subreaper, so that whatever a candidate forks comes back to it. It ends when the candidate ends, when a bound
is passed, when the host says so, and when the host is gone. Frames do not pass through here.
Standard library only, run by a bare interpreter:  supervisor.main() with the control descriptor as last argument.
"""

# ruff: noqa: PTH208
# It must start fast: no pathlib.

from __future__ import annotations

import base64
import os
import resource
import select
import signal
import sys
import time
import traceback
from contextlib import suppress

from pilotbase.supports.compute import launch, linux, tree
from pilotbase.supports.compute.order import HANDSHAKE, Lines, Order, Report, send

TICK = 0.05  # seconds between two looks at the tree
HASTE = 0.01  # seconds, once half of the memory is used
TAIL = 16 << 10  # bytes of standard error that are kept
WATCHED = ("/tmp", "/dev/shm")  # noqa: S108 - the folders of the cell that can be written to

Reason = tuple[str, str]


class Supervisor:
    """The life of one cell."""

    def __init__(self, control: int, order: Order) -> None:
        """Take over the descriptors of an order."""
        self.control = control
        self.order = order
        self.bounds = order["bounds"]
        self.parent = os.getppid()
        self.stderr, self.stderr_end = os.pipe()
        self.ended, self.ended_end = os.pipe()
        self.outer = 0  # pid of bwrap
        self.inner = 0  # pid of the cell's own process 1
        self.scratch: list[int] = []
        self.out: list[int] = []
        self.launched = False
        self.status: int | None = None
        self.started = time.monotonic()
        self.held = self.memory = self.tasks = self.written = 0
        self.tail = b""

    def run(self) -> Report:
        """Start the cell, watch it, empty it."""
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
        self._hear_children()
        staging = self.order["staging"]
        try:
            if staging is not None and staging["by"] == "copy":
                launch.stage_by_copy(staging)
            self._start()
            reason = self._watch()
            if self.launched and self.status is None:
                self._look()  # a short life must show in the figures, too
                tree.settle(self.inner)
        finally:
            left = tree.empty()
            wall = time.monotonic() - self.started
        self._drain()
        return self._report(reason, left, wall)

    def _hear_children(self) -> None:
        """Let the end of a child wake the loop."""
        os.set_blocking(self.ended, False)
        os.set_blocking(self.ended_end, False)
        signal.set_wakeup_fd(self.ended_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _start(self) -> None:
        """Fork the launcher; keep only our ends of the pipes."""
        self.started = time.monotonic()
        self.outer = os.fork()
        if self.outer == 0:
            signal.set_wakeup_fd(-1)
            launch.become(self.order, self.stderr_end)
        os.set_blocking(self.stderr, False)
        for handle in (self.stderr_end, self.order["stdin"], self.order["stdout"], *self.order["passed"]):
            os.close(handle)

    def _watch(self) -> Reason | None:
        """Wait for the end. Return why the supervisor ends it, None when the cell or the host did."""
        waker = select.poll()
        for handle in (self.control, self.stderr, self.ended, self.order["gate"]):
            waker.register(handle, select.POLLIN)
        next_look = self.started + TICK
        while True:
            ready = {handle for handle, _ in waker.poll(max(0.0, next_look - time.monotonic()) * 1000)}
            if self.order["gate"] in ready:
                waker.unregister(self.order["gate"])
                self._pass_gate()
            if self.stderr in ready and not self._listen():
                waker.unregister(self.stderr)
            if self.written > self.bounds["stderr"]:
                return "killed_output", f"{self.written} bytes on standard error, limit {self.bounds['stderr']}"
            if self.control in ready or os.getppid() != self.parent:
                return None  # "close", or the host is gone
            if self._finished():
                return self._bound_of_exit()
            if time.monotonic() >= next_look:
                reason = self._look()
                if reason is not None:
                    return reason
                next_look = time.monotonic() + (HASTE if 2 * self.held > self.bounds["memory"] else TICK)

    def _pass_gate(self) -> None:
        """Stage one waits at the gate: hold its scratch folders, tell the host, let it through on the host's word."""
        gate = self.order["gate"]
        if os.read(gate, 1) != b"1":
            return  # it died before; its end follows
        self.inner = next(iter(tree.children(self.outer)), 0)
        if not self.inner:
            raise RuntimeError("the kernel does not list the children of a process (CONFIG_PROC_CHILDREN)")
        self.scratch = [self._hold(name) for name in WATCHED]
        self.out = [self._hold("/out")] if self.bounds["out_inodes"] else []
        self.launched = True
        send(self.control, {"ready": self.inner})
        if os.read(self.control, 1) == b"g":
            os.write(gate, b"g")
        os.close(gate)

    def _hold(self, name: str) -> int:
        """Hold a folder of the cell open, whatever the candidate does to its processes later."""
        return os.open(f"/proc/{self.inner}/root{name}", os.O_PATH | os.O_CLOEXEC)

    def _listen(self) -> bool:
        """Read standard error; False at its end."""
        try:
            block = os.read(self.stderr, 1 << 16)
        except BlockingIOError:
            return True
        self.written += len(block)
        self.tail = (self.tail + block)[-TAIL:]
        return bool(block)

    def _finished(self) -> bool:
        """Reap what has ended; say whether bwrap itself was among it."""
        with suppress(BlockingIOError):
            os.read(self.ended, 4096)
        for pid, status in tree.reap():
            if pid == self.outer:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def _bound_of_exit(self) -> Reason | None:
        """Tell an exit that a bound forced (no space left, no processor time left) from one of the candidate's own."""
        if self.status == 128 + signal.SIGXCPU:
            return "killed_time", "processor time used up"
        return self._look_at_scratch()

    def _look(self) -> Reason | None:
        """Take one sample of the tree and hold it against the bounds."""
        elapsed = time.monotonic() - self.started
        if not self.launched:
            return ("killed_time", f"not ready after {HANDSHAKE:g} s") if elapsed > HANDSHAKE else None
        members = tree.below(self.inner)
        self.held = sum(tree.resident(pid) for pid in members)
        self.memory = max(self.memory, self.held)
        self.tasks = max(self.tasks, count := sum(tree.tasks(pid) for pid in members))
        limit = self.bounds["memory"]
        if self.held > limit and (shared := sum(tree.proportional(pid) for pid in members)) > limit:
            return "killed_memory", f"{shared} bytes resident, limit {limit}"
        if count > self.bounds["tasks"]:
            return "killed_processes", f"{count} processes and threads, limit {self.bounds['tasks']}"
        if elapsed > self.bounds["run"]:
            return "killed_time", f"{elapsed:.1f} s, limit {self.bounds['run']:g}"
        return self._look_at_scratch()

    def _look_at_scratch(self) -> Reason | None:
        states = [os.fstatvfs(handle) for handle in self.scratch]
        used = sum((state.f_blocks - state.f_bfree) * state.f_frsize for state in states)
        files = sum(state.f_files - state.f_ffree for state in states)
        if used > self.bounds["scratch"]:
            return "killed_scratch", f"{used} bytes in scratch, limit {self.bounds['scratch']}"
        if files > self.bounds["inodes"]:
            return "killed_scratch", f"{files} files in scratch, limit {self.bounds['inodes']}"
        made = sum(state.f_files - state.f_ffree for state in map(os.fstatvfs, self.out))
        if made > self.bounds["out_inodes"]:
            return "killed_scratch", f"{made} files in /out, limit {self.bounds['out_inodes']}"
        return None

    def _drain(self) -> None:
        """Take what is left on standard error; all writers are gone."""
        while self.written <= self.bounds["stderr"]:
            before = self.written
            if not self._listen() or self.written == before:
                break

    def _report(self, reason: Reason | None, left: int, wall: float) -> Report:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "launched": self.launched,
            "reason": list(reason) if reason else None,
            "status": self.status,
            "left": left,
            "wall": wall,
            "cpu": used.ru_utime + used.ru_stime,
            "memory": max(self.memory, used.ru_maxrss << 10),  # a burst between two looks still shows in the largest
            "tasks": self.tasks,
            "written": self.written,
            "stderr": base64.b64encode(self.tail).decode(),
        }


def main() -> None:
    """Read the order, do it, report; a fault of ours is reported as such."""
    control = int(sys.argv[-1])
    order: Order = Lines(control).receive()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the listing's own descriptor
            os.set_inheritable(int(name), int(name) <= 2)  # noqa: PLR2004 - what the cell inherits is named one by one
    try:
        message: dict[str, object] = {"report": Supervisor(control, order).run()}
    except Exception:  # noqa: BLE001 - told to the host in full
        message = {"fault": traceback.format_exc()}
    with suppress(OSError):  # the host is gone; the cell is empty all the same
        send(control, message)
    os.close(control)
    if order["staging"] is not None and order["staging"]["by"] == "copy":
        launch.unstage_copy(order["staging"])
