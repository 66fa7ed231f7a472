"""What a hostile candidate tries, from inside a real cell. Each attempt succeeds or fails otherwise outside one."""

from __future__ import annotations

import os
import socket
import sys

import pytest
from cell_samples import ask, spec

from pilotbase.supports.compute.isolated import isolated

pytestmark = pytest.mark.needs("cell")

X86_64 = {
    "ptrace": (101, 0),
    "unshare of a user namespace": (272, 0x10000000),
    "clone into a user namespace": (56, 0x10000011),
    "mount": (165, 0, 0, 0, 0, 0),
    "new mount interface": (428, 0, 0, 0),
    "pivot_root": (155, 0, 0),
    "chroot": (161, 0),
    "setns": (308, 0, 0),
    "bpf": (321, 0, 0, 0),
    "io_uring": (425, 1, 0),
    "userfaultfd": (323, 0),
    "perf": (298, 0, 0, 0, 0, 0),
    "keyring": (250, 0, 0),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
    "shared memory of System V": (29, 0, 4096, 0o1600),
    "memfd": (319, 0, 0),
    "kexec": (246, 0, 0, 0, 0),
    "module": (313, 0, 0, 0),
    "mknod": (133, 0, 0, 0),
    "syslog": (103, 3, 0, 0),
    "clock": (227, 0, 0),
    "handle of a file": (304, 0, 0, 0),
}


@pytest.fixture(scope="module")
def cell(state):
    with isolated(spec(), state) as cell:
        yield cell


@pytest.mark.parametrize("name", X86_64)
def test_a_dangerous_call_is_refused(cell, name):
    assert ask(cell, f"result = call{X86_64[name]}") == "EPERM"


@pytest.mark.parametrize("family", [2, 10, 16, 17, 21, 29, 30, 31, 38, 40, 44])
def test_no_socket_but_a_unix_one_can_be_made(cell, family):
    assert ask(cell, f"result = attempt(lambda: socket.socket({family}, socket.SOCK_STREAM))") == "EAFNOSUPPORT"


def test_unix_sockets_and_pairs_work(cell):
    code = "a, b = socket.socketpair(); a.send(b'x'); result = b.recv(1).decode()"
    assert ask(cell, code) == "x"


def test_the_abstract_sockets_of_the_host_are_out_of_reach(cell):
    name = f"pilotbase-{os.urandom(8).hex()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0" + name)
        listener.listen()
        with socket.socket(socket.AF_UNIX) as control:
            control.connect("\0" + name)
        code = f"result = attempt(lambda: socket.socket(1).connect('\\0{name}'))"
        assert ask(cell, code) == "ECONNREFUSED"


def test_planted_files_are_out_of_reach(cell, tmp_path, state):
    canary = tmp_path / "canary"
    canary.write_text("truth")
    kept = state / "canary"
    kept.write_text("truth")
    paths = [str(canary), str(kept), "/etc/passwd", "/etc/shadow", "/root", "/home", "/var", "/proc/1/root/etc/passwd"]
    code = f"result = {{p: attempt(lambda: open(p) if not os.path.isdir(p) else os.listdir(p)) for p in {paths!r}}}"
    told = ask(cell, code)
    way = next((path for path in paths if sys.base_prefix.startswith(f"{path}/")), None)
    if way:  # the way to the interpreter can be seen, with nothing else in it
        assert told.pop(way) == "open"
        assert [sys.base_prefix.startswith(f"{way}/{name}") for name in ask(cell, f"result = os.listdir({way!r})")] == [
            True
        ]
    assert set(told.values()) <= {"ENOENT", "EACCES", "EPERM"}


def test_the_root_of_the_cell_holds_what_was_given_and_no_more(cell):
    listed = set(ask(cell, "result = os.listdir('/')"))
    known = {
        "usr",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "bin",
        "sbin",
        "etc",
        "proc",
        "dev",
        "sys",
        "tmp",
        "stage_one.py",
        "servant.py",
    }
    assert listed - known <= {sys.base_prefix.split("/")[1]}


def test_no_process_of_the_host_can_be_seen(cell):
    assert len(ask(cell, "result = [name for name in os.listdir('/proc') if name.isdecimal()]")) <= 3
    assert ask(cell, f"result = attempt(lambda: os.kill({os.getpid()}, 0))") == "ESRCH"


def test_descriptors_are_the_three_pipes(state):
    with isolated(spec(), state) as fresh:
        code = "result = sorted(n for n in os.listdir('/proc/self/fd') if attempt(lambda: os.fstat(int(n))) == 'open')"
        assert ask(fresh, code) == ["0", "1", "2"]


def test_process_1_of_the_cell_holds_nothing_either(cell):
    told = ask(cell, "result = [os.readlink(f'/proc/1/fd/{n}') for n in os.listdir('/proc/1/fd')]")
    assert {name.split(":")[0] for name in told} <= {"pipe", "anon_inode"}
    assert sum(name.startswith("pipe") for name in told) <= 3


def test_there_is_no_right_and_none_can_be_had(cell):
    lines = ask(cell, "result = open('/proc/self/status').read()").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert ask(cell, "result = attempt(lambda: os.setuid(0))") in ("EPERM", "EINVAL")
    assert ask(cell, "result = os.getuid()") != 0


def test_hard_limits_cannot_be_raised(cell):
    code = "try:\n    resource.setrlimit(resource.RLIMIT_NPROC, (4096, 4096))\n    result = 'open'\n"
    code += "except (ValueError, OSError) as error:\n    result = type(error).__name__"
    assert ask(cell, code) == "ValueError"


def test_kernel_settings_cannot_be_written(cell):
    paths = ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/user/max_user_namespaces"]
    told = ask(cell, f"result = [attempt(lambda: open(p, 'w').write('0')) for p in {paths!r}]")
    assert "open" not in told


def test_devices_cannot_be_made_or_opened(cell):
    assert ask(cell, "result = attempt(lambda: os.mknod('/tmp/disk', 0o60600, os.makedev(8, 0)))") == "EPERM"
    assert (
        ask(cell, "result = [attempt(lambda: open(p)) for p in ('/dev/mem', '/dev/kmsg', '/dev/sda')]")
        == ["ENOENT"] * 3
    )
