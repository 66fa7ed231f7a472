"""The seccomp filter of a cell, assembled here as classic BPF: no compiler, no library.

Order of the checks: architecture (kill: otherwise the 32-bit entry goes round the list), foreign ABI (kill), numbers
newer than the table (ENOSYS), the deny-list (EPERM), then calls that are judged by an argument.
Source  Linux, Documentation/userspace-api/seccomp_filter.rst; struct sock_filter of linux/filter.h.
Format  a program is a row of 8-byte instructions: code u16, jump-if-true u8, jump-if-false u8, operand u32.
"""

from __future__ import annotations

import errno
import struct

from pilotbase.foundation.errors import IsolationError
from pilotbase.foundation.text import Text, printable
from pilotbase.supports.compute.syscalls import TABLES, Table

KILL = 0x80000000  # SECCOMP_RET_KILL_PROCESS
ALLOW = 0x7FFF0000
ERRNO = 0x00050000

_LOAD, _EQUAL, _GREATER, _NOT_LESS, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # both put input into a terminal
_AF_UNIX = 1
_QUERY = 0xFFFFFFFF  # personality: ask, change nothing


def _low(argument: int) -> int:
    """Return the offset of the low 32 bits of an argument: the kernel compares no more of a command or a family."""
    return 16 + 8 * argument


def _step(code: int, operand: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, operand)


def _end(answer: int) -> bytes:
    return _step(_RETURN, answer)


def _refuse(number: int, error: int) -> bytes:
    return _step(_EQUAL, number, 0, 1) + _end(ERRNO | error)


def _judged(number: int, body: bytes) -> bytes:
    """Put the checks of one call's arguments behind its number; the body always ends in an answer."""
    return _step(_EQUAL, number, 0, len(body) // 8) + body


def _refuse_if(code: int, operands: tuple[int, ...], argument: int, error: int) -> bytes:
    checks = b"".join(_step(code, operand, 0, 1) + _end(ERRNO | error) for operand in operands)
    return _step(_LOAD, _low(argument)) + checks + _end(ALLOW)


def _refuse_unless(operands: tuple[int, ...], argument: int, error: int) -> bytes:
    checks = b"".join(_step(_EQUAL, operand, 0, 1) + _end(ALLOW) for operand in operands)
    return _step(_LOAD, _low(argument)) + checks + _end(ERRNO | error)


def assemble(table: Table) -> bytes:
    """Return the filter for one architecture."""
    head = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, table.audit, 1, 0),
        _end(KILL),
        _step(_LOAD, _NUMBER),
        _step(_NOT_LESS, table.foreign, 0, 1),
        _end(KILL),
        _step(_GREATER, table.newest, 0, 1),
        _end(ERRNO | errno.ENOSYS),
        _refuse(table.clone3, errno.ENOSYS),  # its flags lie in memory, out of sight; libc falls back to clone
    ]
    denied = [_refuse(number, errno.EPERM) for number in sorted(table.denied.values())]
    judged = [
        _judged(table.clone, _refuse_if(_ANY_BIT, (_NAMESPACES,), 0, errno.EPERM)),
        _judged(table.ioctl, _refuse_if(_EQUAL, (_TIOCSTI, _TIOCLINUX), 1, errno.EPERM)),
        _judged(table.personality, _refuse_unless((0, _QUERY), 0, errno.EPERM)),
        _judged(table.socket, _refuse_unless((_AF_UNIX,), 0, errno.EAFNOSUPPORT)),
        _judged(table.socketpair, _refuse_unless((_AF_UNIX,), 0, errno.EAFNOSUPPORT)),
    ]
    return b"".join([*head, *denied, *judged, _end(ALLOW)])


def program(machine: str) -> bytes:
    """Return the filter for this machine (``platform.machine()``). Raises IsolationError where no table exists."""
    table = TABLES.get({"AMD64": "x86_64"}.get(machine, machine))
    if table is None:
        raise IsolationError(
            Text(zh="此处理器架构没有系统调用表", en="there is no system-call table for this processor architecture"),
            found=printable(machine),
            expected=Text(zh="、".join(TABLES), en=", ".join(TABLES)),
            remedy=Text(
                zh="请在 x86_64 的 Linux 机器上运行；预演（rehearse）不受此限",
                en="run on an x86_64 Linux machine; a rehearsal works here",
            ),
        )
    return assemble(table)
