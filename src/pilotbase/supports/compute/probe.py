"""The probe: tries from inside a cell what a candidate must not be able to do, and tells what happened.

One self-contained file, given to the cell as a descriptor. Every attempt is bounded in size. It runs in cells only:
outside one, some attempts would succeed.

Usage   probe.py MODE [ARGUMENT]
Reply   one frame: u64 little-endian length, then JSON.
"""

# ruff: noqa: PTH101, PTH115, PTH123, PTH208, S108
# One bare file: no pathlib; its paths are the cell's own.

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import resource
import socket
import sys
import time
from collections.abc import Callable

MIB = 1 << 20
FAMILIES = {"inet": 2, "inet6": 10, "netlink": 16, "packet": 17, "tipc": 30, "alg": 38, "vsock": 40, "xdp": 44}
CALLS = {  # x86_64: number and argument; unconfined, each succeeds or fails with another error
    "ptrace": (101, 0), "mount": (165, 0), "unshare": (272, 0x10000000), "setns": (308, 0), "keyctl": (250, 0),
    "bpf": (321, 0), "userfaultfd": (323, 0), "memfd_create": (319, 0), "perf_event_open": (298, 0),
    "io_uring_setup": (425, 1), "clone3": (435, 0), "personality": (135, 0x0040000), "clone_newuser": (56, 0x10000000),
    "beyond_the_table": (468, 0), "shmget": (29, 0), "open_tree": (428, 0), "process_vm_readv": (310, 0),
}  # fmt: skip
ENTRY_32 = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20 (getpid); int 0x80; ret
X32_GETPID = 0x40000000 | 39

LIBC = ctypes.CDLL(None, use_errno=True)


def reply(value: object) -> None:
    """Send one frame."""
    data = json.dumps(value).encode()
    sys.stdout.buffer.write(len(data).to_bytes(8, "little") + data)
    sys.stdout.buffer.flush()


def attempt(action: Callable[[], object]) -> str:
    """Return ``open`` when an action succeeds, else the name of the error."""
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    return "open"


def call(number: int, argument: int) -> str:
    """Make a system call with one argument that matters, in a forked child; return the error's name or ``open``."""
    pid = os.fork()
    if pid == 0:
        done = LIBC.syscall(ctypes.c_long(number), ctypes.c_ulong(argument), 0, 0, 0, 0, 0)
        os._exit(ctypes.get_errno() if done == -1 else 0)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    code = os.WEXITSTATUS(status)
    return errno.errorcode.get(code, "?") if code else "open"


def fatal(action: Callable[[], object]) -> int:
    """Do something in a forked child; return the signal that ended it, 0 when none did."""
    pid = os.fork()
    if pid == 0:
        action()
        os._exit(0)
    return os.WTERMSIG(os.waitpid(pid, 0)[1])


def enter_32() -> None:
    """Make a system call by the 32-bit entry, which a filter without an architecture check does not see."""
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(ENTRY_32)
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()


def read(path: str) -> None:
    """Read one byte of a file."""
    handle = os.open(path, os.O_RDONLY)
    os.read(handle, 1)
    os.close(handle)


def create(path: str) -> None:
    """Make a file."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def rewrite(path: str) -> None:
    """Open a file for writing."""
    os.close(os.open(path, os.O_WRONLY))


def connect(family: int, address: tuple[str, int] | str) -> None:
    """Reach a listener of the host."""
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        stream.settimeout(1)
        stream.connect(address)


def handles() -> dict[str, str]:
    """Return what every open descriptor is; the listing's own is left out."""
    found: dict[str, str] = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}").partition(":")[0]
        except OSError:
            continue
    return found


def status() -> dict[str, str]:
    """Return the lines of /proc/self/status that tell of rights."""
    wanted = {"CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp"}
    with open("/proc/self/status", encoding="ascii", errors="replace") as lines:
        pairs = [line.split(":", 1) for line in lines]
    return {name: value.strip() for name, value in pairs if name in wanted}


def processes() -> list[str]:
    """Return the command line of every process that can be seen."""
    found: list[str] = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with open(f"/proc/{name}/cmdline", encoding="utf-8", errors="replace") as line:
                found.append(line.read())
    return found


def limits(names: list[str]) -> dict[str, list[int]]:
    """Return soft and hard limits by name."""
    return {name: list(resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))) for name in names}


def look(told: dict) -> None:
    """Look around, try everything that does no harm when it is refused, tell all."""
    reply(
        {
            "handles": handles(),  # first: later attempts open descriptors of their own
            "environ": dict(os.environ),
            "session": os.getsid(0),  # 0 = led by a process that cannot be seen from here
            "ids": [os.getuid(), os.geteuid(), os.getgid(), os.getegid(), *os.getgroups()],
            "namespaces": {name: os.readlink(f"/proc/self/ns/{name}") for name in told["namespaces"]},
            "status": status(),
            "limits": limits(told["limits"]),
            "processes": processes(),
            "canaries": {path: attempt(lambda path=path: read(path)) for path in told["canaries"]},
            "input": attempt(lambda: read(told["input"])),
            "rewritten": {path: attempt(lambda path=path: rewrite(path)) for path in told["rewrite"]},
            "created": {path: attempt(lambda path=path: create(path)) for path in told["create"]},
            "chmod": attempt(lambda: os.chmod(told["input"], 0o600)),
            "tcp": attempt(lambda: connect(socket.AF_INET, ("127.0.0.1", told["port"]))),
            "abstract": attempt(lambda: connect(socket.AF_UNIX, "\0" + told["abstract"])),
            "pathname": attempt(lambda: connect(socket.AF_UNIX, told["pathname"])),
            "families": {name: attempt(lambda f=f: socket.socket(f).close()) for name, f in FAMILIES.items()},
            "calls": {name: call(*words) for name, words in CALLS.items()},
            "entry_32": fatal(enter_32),
            "x32": fatal(lambda: LIBC.syscall(ctypes.c_long(X32_GETPID))),
            "fork": fatal(lambda: None),
        }
    )


def memory(most: str) -> None:
    """Hold ever more memory, up to a bound in MiB."""
    held = []
    for _ in range(int(most)):
        held.append(bytearray(MIB))
        for offset in range(0, MIB, mmap.PAGESIZE):
            held[-1][offset] = 1
    time.sleep(5)


def errors(most: str) -> None:
    """Flood standard error, up to a bound in MiB."""
    block = b"x" * MIB
    for _ in range(int(most)):
        os.write(2, block)
    time.sleep(5)


def forks(most: str) -> None:
    """Fork children that sleep, up to a bound."""
    for _ in range(int(most)):
        try:
            if os.fork() == 0:
                time.sleep(5)
                os._exit(0)
        except OSError:
            break
    time.sleep(5)


def files(most: str) -> None:
    """Make empty files in both scratch folders, up to a bound."""
    for number in range(int(most)):
        create(f"{('/tmp', '/dev/shm')[number % 2]}/{number}")
    time.sleep(5)


def fill(most: str) -> None:
    """Fill scratch, up to a bound in MiB."""
    with open("/tmp/fill", "wb", buffering=0) as stream:
        for _ in range(int(most)):
            stream.write(b"x" * MIB)
            time.sleep(0.005)
    time.sleep(5)


def daemon(_name: str) -> None:
    """Leave a daemon behind: forked twice, a session of its own, deaf to SIGTERM."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(30)
        os._exit(0)
    reply("left")
    time.sleep(5)


def sleep(_name: str) -> None:
    """Answer nothing."""
    time.sleep(5)


def main(mode: str, argument: str) -> None:
    """Do one thing."""
    if mode == "look":
        look(json.loads(argument))
        sys.stdin.buffer.read()
        return
    {
        "memory": memory,
        "errors": errors,
        "forks": forks,
        "files": files,
        "fill": fill,
        "daemon": daemon,
        "sleep": sleep,
    }[mode](argument)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
