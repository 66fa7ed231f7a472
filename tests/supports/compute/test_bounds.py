"""Excess of every kind, each bounded in size, stopped by the supervisor for the right reason; nothing is left alive."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
from cell_samples import LIMITS, MIB, ask, expect, script, spec, with_word

from pilotbase.supports.compute.cell import CandidateFailed
from pilotbase.supports.compute.isolated import isolated

pytestmark = pytest.mark.needs("cell")

MEMORY = """
held = []
for _ in range(384):
    held.append(bytearray(1 << 20))
    for at in range(0, 1 << 20, 4096): held[-1][at] = 1
import time; time.sleep(20)
"""
MEMORY_OF_MANY = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        held = bytearray(48 << 20)
        for at in range(0, len(held), 4096): held[at] = 1
        time.sleep(20)
time.sleep(20)
"""
FORKS = """
import os, time
for _ in range(72):
    try:
        if os.fork() == 0: time.sleep(20); os._exit(0)
    except OSError: break
time.sleep(20)
"""
THREADS = """
import threading, time
for _ in range(72):
    try: threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
    except RuntimeError: break
time.sleep(20)
"""
FORK_BOMB = """
import os, time
for _ in range(10):
    try: os.fork()
    except OSError: time.sleep(0.01)
time.sleep(20)
"""
FILL = """
import time
stream = open('{folder}/x', 'wb', 0)
for _ in range(48): stream.write(bytes(1 << 20))
time.sleep(20)
"""
FILES = """
import os, time
for n in range(30000): os.close(os.open('{folder}/' + str(n), os.O_CREAT | os.O_WRONLY))
time.sleep(20)
"""
FLOOD = "import os, time\nfor _ in range(24): os.write(2, b'x' * (1 << 20))\ntime.sleep(20)"
SPIN = "import os\nfor _ in range(3): os.fork()\nwhile True: pass"

EXCESSES = {
    "memory of one process": (MEMORY, "killed_memory"),
    "memory of many processes": (MEMORY_OF_MANY, "killed_memory"),
    "forks": (FORKS, "killed_processes"),
    "threads": (THREADS, "killed_processes"),
    "a fork bomb": (FORK_BOMB, "killed_processes"),
    "a full /tmp": (FILL.format(folder="/tmp"), "killed_scratch"),
    "a full /dev/shm": (FILL.format(folder="/dev/shm"), "killed_scratch"),
    "files in /tmp": (FILES.format(folder="/tmp"), "killed_scratch"),
    "files in /dev/shm": (FILES.format(folder="/dev/shm"), "killed_scratch"),
    "a flood of errors": (FLOOD, "killed_output"),
}


def end(code: str, state, limits=LIMITS):
    """Run code that must be stopped; return its failure, its usage and how long it lived."""
    word = f"word-{os.urandom(8).hex()}"
    with isolated(script(code, limits, variables={"WORD": word}), state) as cell:
        with pytest.raises(CandidateFailed) as caught:
            cell.exchange(b"", expect, 20)
        assert not with_word(word)
        return caught.value.failure, cell.close()


@pytest.mark.parametrize("name", EXCESSES)
def test_an_excess_is_stopped_for_its_reason(state, name):
    code, kind = EXCESSES[name]
    failure, usage = end(code, state)
    assert failure.kind == kind
    assert float(usage.wall) < 15


def test_memory_overshoots_by_little(state):
    _, usage = end(MEMORY, state)
    assert LIMITS.memory < usage.memory < 2 * LIMITS.memory


def test_errors_past_the_cap_are_counted_and_not_kept(state):
    _, usage = end(FLOOD, state)
    assert 8 * MIB < usage.stderr < 10 * MIB


def test_a_run_past_its_time_is_stopped(state):
    began = time.monotonic()
    failure, _ = end(SPIN, state, replace(LIMITS, run=0.5))
    assert failure.kind == "killed_time"
    assert time.monotonic() - began < 5


def test_pages_that_forks_share_are_counted_once(state):
    code = "held = bytearray(48 << 20)\nfor at in range(0, len(held), 4096): held[at] = 1\nkids = []\n"
    code += "for _ in range(6):\n    kids.append(os.fork())\n    if not kids[-1]: time.sleep(1); os._exit(0)\n"
    code += "for kid in kids: os.waitpid(kid, 0)\nresult = 'done'"
    with isolated(spec(), state) as cell:
        assert ask(cell, code) == "done"


def test_the_device_folder_cannot_be_filled(state):
    with isolated(spec(), state) as cell:
        assert ask(cell, "result = attempt(lambda: open('/dev/fill', 'wb'))") == "EROFS"
        assert ask(cell, "result = attempt(lambda: os.mkdir('/dev/pts/x'))") in ("EPERM", "EROFS", "EACCES")
        assert ask(cell, "result = attempt(lambda: open('/fill', 'wb'))") == "EROFS"


DAEMON = """
pid = os.fork()
if pid == 0:
    os.setsid()
    signal.signal(15, signal.SIG_IGN)
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)', '{word}'])
    os._exit(0)
os.waitpid(pid, 0)
time.sleep(0.3)
result = 1
"""


def test_a_daemon_does_not_outlive_its_cell(state):
    word = f"word-{os.urandom(8).hex()}"
    code = DAEMON.format(word=word)
    with isolated(spec(), state) as cell:
        ask(cell, code)
        assert with_word(word)
        began = time.monotonic()
        cell.close()
        assert time.monotonic() - began < 2
        assert not with_word(word)


def test_a_daemon_does_not_outlive_a_candidate_that_exits(state):
    word = f"word-{os.urandom(8).hex()}"
    code = "import os, sys\nif os.fork() == 0:\n    os.setsid()\n    for n in (1, 2): os.close(n)\n"
    code += (
        f"    os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)', '{word}'])\nos._exit(0)"
    )
    with isolated(script(code), state) as cell:
        with pytest.raises(CandidateFailed) as caught:
            cell.exchange(b"", expect, 20)
        assert caught.value.failure.kind == "exited"
        assert not with_word(word)
