"""A servant to put into cells: it runs the Python that it is sent and answers with JSON. And what tests share."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from pilotbase.supports.compute.cell import Cell, CellLimits, CellSpec

MIB = 1 << 20
HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
LIMITS = CellLimits(memory=128 * MIB, scratch=16 * MIB, processes=24, start=20.0, run=60.0)

SERVANT = b"""
import ctypes, errno, json, os, resource, signal, socket, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def attempt(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "?")
    return "open"
def call(number, *words):
    ctypes.set_errno(0)
    done = libc.syscall(ctypes.c_long(number), *(ctypes.c_ulong(word) for word in words))
    return "open" if done != -1 else errno.errorcode.get(ctypes.get_errno(), "?")
def send(data):
    sys.stdout.buffer.write(len(data).to_bytes(8, "little") + data)
    sys.stdout.buffer.flush()
words = dict(globals())
while len(head := sys.stdin.buffer.read(8)) == 8:
    code = sys.stdin.buffer.read(int.from_bytes(head, "little"))
    words["result"] = None
    exec(code, words)
    send(json.dumps(words["result"]).encode())
"""


def spec(limits: CellLimits = LIMITS, **more) -> CellSpec:
    """Return a servant's spec."""
    return CellSpec(arguments=("/servant.py",), files={"/servant.py": SERVANT}, limits=limits, **more)


def script(code: str, limits: CellLimits = LIMITS, **more) -> CellSpec:
    """Return the spec of a candidate that just runs."""
    return CellSpec(arguments=("/script.py",), files={"/script.py": code.encode()}, limits=limits, **more)


def frame(data: bytes) -> bytes:
    return len(data).to_bytes(8, "little") + data


def expect(reply: bytes) -> int:
    """Expect a length of 8 bytes, then that many."""
    return 8 if len(reply) < 8 else 8 + int.from_bytes(reply[:8], "little")


def ask(cell: Cell, code: str, seconds: float = 20.0):
    """Have the servant run code; return what it put into ``result``."""
    return json.loads(cell.exchange(frame(code.encode()), expect, seconds)[8:])


def with_word(word: str) -> list[int]:
    """List the processes of this machine that have a word in their command line, save our own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def until(true, seconds: float = 5.0) -> bool:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not (held := true()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(held)
