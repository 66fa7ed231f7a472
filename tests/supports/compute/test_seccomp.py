"""The filter against an interpreter of classic BPF, and its numbers against the system's own header."""

from __future__ import annotations

import errno
import re
import struct

import pytest
from cell_samples import HEADER
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.foundation.errors import IsolationError
from pilotbase.supports.compute.seccomp import ALLOW, ERRNO, KILL, program
from pilotbase.supports.compute.syscalls import TABLES

TABLE = TABLES["x86_64"]
CODE = program("x86_64")
ALLOWED = {"read": 0, "write": 1, "mmap": 9, "fork": 57, "execve": 59, "futex": 202, "openat": 257, "getrandom": 318}


def run(number: int, arguments: tuple[int, ...] = (), architecture: int = TABLE.audit) -> int:
    """Interpret the filter as the kernel does."""
    words = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *words)
    steps = [struct.unpack_from("<HBBI", CODE, offset) for offset in range(0, len(CODE), 8)]
    held = place = 0
    while True:
        code, yes, no, operand = steps[place]
        place += 1
        match code:
            case 0x20:
                held = struct.unpack_from("<I", data, operand)[0]
            case 0x06:
                return operand
            case _:
                test = {
                    0x15: held == operand,
                    0x25: held > operand,
                    0x35: held >= operand,
                    0x45: bool(held & operand),
                }[code]
                place += yes if test else no


@pytest.mark.parametrize("name", TABLE.denied)
def test_a_denied_call_is_refused(name):
    assert run(TABLE.denied[name]) == ERRNO | errno.EPERM


@pytest.mark.parametrize("name", ALLOWED)
def test_an_ordinary_call_passes(name):
    assert run(ALLOWED[name]) == ALLOW


@given(st.integers(0, 2**32 - 1).filter(lambda number: number != TABLE.audit), st.integers(0, 2**32 - 1))
def test_another_architecture_is_fatal_whatever_the_number(architecture, number):
    assert run(number, architecture=architecture) == KILL


@given(st.integers(TABLE.foreign, 2**32 - 1))
def test_the_x32_abi_is_fatal(number):
    assert run(number) == KILL


@given(st.integers(TABLE.newest + 1, TABLE.foreign - 1))
def test_a_call_newer_than_the_table_does_not_exist(number):
    assert run(number) == ERRNO | errno.ENOSYS


@given(st.integers(0, 2**64 - 1))
def test_clone_passes_unless_it_asks_for_a_namespace(flags):
    wanted = ERRNO | errno.EPERM if flags & 0x7E020000 else ALLOW
    assert run(TABLE.clone, (flags,)) == wanted


def test_clone3_sends_the_library_back_to_clone():
    assert run(TABLE.clone3) == ERRNO | errno.ENOSYS


@given(st.integers(0, 2**64 - 1), st.sampled_from([TABLE.socket, TABLE.socketpair]))
def test_only_unix_sockets_can_be_made(family, number):
    wanted = ALLOW if family & 0xFFFFFFFF == 1 else ERRNO | errno.EAFNOSUPPORT
    assert run(number, (family,)) == wanted


@given(st.integers(0, 2**64 - 1))
def test_terminal_input_cannot_be_forged_whatever_stands_in_the_high_bits(high):
    low = high & ~0xFFFFFFFF & 2**64 - 1
    assert run(TABLE.ioctl, (0, low | 0x5412)) == ERRNO | errno.EPERM
    assert run(TABLE.ioctl, (0, low | 0x541C)) == ERRNO | errno.EPERM
    assert run(TABLE.ioctl, (0, low | 0x5413)) == ALLOW


@given(st.integers(0, 2**64 - 1))
def test_personality_can_be_asked_and_not_changed(persona):
    wanted = ALLOW if persona & 0xFFFFFFFF in (0, 0xFFFFFFFF) else ERRNO | errno.EPERM
    assert run(TABLE.personality, (persona,)) == wanted


def test_an_architecture_without_a_table_is_refused_in_words():
    with pytest.raises(IsolationError) as caught:
        program("aarch64")
    assert caught.value.found == "aarch64"
    assert caught.value.remedy is not None


@pytest.mark.needs("header")
def test_the_numbers_are_those_of_the_system():
    known = dict(re.findall(r"#define __NR_(\w+) (\d+)", HEADER.read_text()))
    named = TABLE.denied | {name: getattr(TABLE, name) for name in ("clone", "clone3", "ioctl", "socket", "socketpair")}
    wrong = {name: number for name, number in named.items() if name in known and int(known[name]) != number}
    assert wrong == {}
    assert len(set(named) & set(known)) > 60
