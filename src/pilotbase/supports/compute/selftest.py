"""The self-test: real cells, probed from inside, before a level is granted.

A pass is kept below the state folder under a key of everything it depends on (this boot, kernel, bubblewrap,
interpreter, our own source, user); a failure is never kept.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import socket
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.digests import file_digest, sha256
from pilotbase.foundation.errors import InputError, IsolationError
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.document import read_json, to_bytes
from pilotbase.pilot.trace import Isolation
from pilotbase.supports.compute import layers, machine, pool, program, seccomp
from pilotbase.supports.compute.cell import CandidateFailed, CellLimits, CellSpec, Mount
from pilotbase.supports.compute.layers import Check, Expected
from pilotbase.supports.compute.opening import hard_limits, opened
from pilotbase.supports.compute.sandbox import SandboxCell

_MIB = 1 << 20
_LIMITS = CellLimits(memory=64 * _MIB, scratch=8 * _MIB, processes=24, start=20, run=30)
_BOMBS = (  # mode, size, what must happen; each is bounded at about three times what it takes
    ("memory", "192", "killed_memory"),
    ("errors", "24", "killed_output"),
    ("forks", "72", "killed_processes"),
    ("files", "30000", "killed_scratch"),
    ("fill", "24", "killed_scratch"),
    ("sleep", "", "killed_time"),
)
_SHORT = 0.5  # seconds that the sleeper may run
_NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_REWRITTEN = ("/usr/bin/env", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/stage_one.py")
_CREATED = ("/mark", "/usr/mark", "/etc/mark", "/dev/mark", "/input/mark", "/proc/mark")


def require_full(state: Path) -> Isolation:
    """Return the isolation record of level full. Raises IsolationError naming what is missing and the remedy."""
    found = self_test(state)
    missing = [layer for layer in found.layers if layer.required and not layer.present]
    if missing:
        raise IsolationError(
            Text(zh="缺少必需的隔离层", en="a required layer of isolation is missing"),
            found=printable("; ".join(f"{layer.name}: {layer.detail.en}" for layer in missing), 900),
            expected=Text(zh="级别 full 的全部必需层", en="every required layer of level full"),
            remedy=missing[0].remedy,
        )
    return found


def self_test(state: Path) -> Isolation:
    """Return which layers of isolation stand on this machine, each probed from inside a real cell."""
    try:
        kept = state / "selftest" / f"{_key()}.json"
        if kept.is_file() and (found := _read(kept)):
            return found
        found = _probe(state)
    except IsolationError as error:
        return layers.none(error)
    if found.level == "full":
        _keep(kept, to_bytes(found))
    return found


def _key() -> str:
    """Return the digest of all that a pass depends on."""
    sources = [file_digest(path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    uids = os.environ.get(pool.SETTING, pool.DEFAULT)
    boot = _BOOT.read_text(encoding="ascii") if _BOOT.is_file() else ""
    facts = [boot, platform.release(), program.find().name, sys.version, sys.base_prefix, os.geteuid(), uids, sources]
    return sha256(canonical_bytes(facts))


def _read(kept: Path) -> Isolation | None:
    try:
        return read_json(kept.read_bytes(), Isolation, str(kept))
    except InputError:
        return None  # damaged: probed anew, and written over


def _keep(kept: Path, data: bytes) -> None:
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = kept.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(data)
    fresh.replace(kept)


def _probe(state: Path) -> Isolation:
    """Open cells and probe them."""
    state.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)  # FORMATS section 9
    with _planted(state) as (folder, told):
        found = [*_looked(state, folder, told), *_daemon(state), *(_bomb(state, *bomb) for bomb in _BOMBS)]
    judged = layers.judge(found, drops=os.geteuid() == 0)
    whole = all(layer.present for layer in judged if layer.required)
    return Isolation(
        level="full" if whole else "none",
        layers=judged,
        kernel=platform.release(),
        bubblewrap=program.find().name,
        filter=sha256(seccomp.program(platform.machine())),
    )


@contextmanager
def _planted(state: Path) -> Generator[tuple[Path, dict[str, Any]]]:
    """Plant what the probe must not reach: files, listeners; each is first reached from here, as a control."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="selftest-", dir=state)))
        (folder / "input").mkdir(mode=0o755)
        (folder / "input" / "file").write_bytes(b"input")
        canary = folder / "canary"
        canary.write_bytes(b"truth")
        public = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pilotbase-"))) / "canary"
        public.parent.chmod(0o755)
        public.write_bytes(b"truth")
        public.chmod(0o644)
        abstract = f"pilotbase-{secrets.token_hex(8)}"
        pathname = str(public.parent / "listener")
        port = _listen(stack, socket.AF_INET, ("127.0.0.1", 0))[1]
        _listen(stack, socket.AF_UNIX, "\0" + abstract)
        _listen(stack, socket.AF_UNIX, pathname)
        yield (
            folder,
            {
                "canaries": [str(canary), str(public), f"/proc/{os.getpid()}/environ", "/etc/passwd", "/dev/kmsg"],
                "input": "/input/file",
                "rewrite": ["/input/file", *_REWRITTEN],
                "create": list(_CREATED),
                "port": port,
                "abstract": abstract,
                "pathname": pathname,
                "namespaces": list(_NAMESPACES),
                "limits": list(hard_limits(_LIMITS)),
            },
        )


def _listen(stack: ExitStack, family: int, address: tuple[str, int] | str) -> Any:
    """Open a listener and reach it once from here; return its address."""
    listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
    listener.bind(address)
    listener.listen()
    with socket.socket(family, socket.SOCK_STREAM) as control:
        control.connect(listener.getsockname())
    return listener.getsockname()


def _spec(limits: CellLimits, mode: str, argument: str, mounts: tuple[Mount, ...] = ()) -> CellSpec:
    source = Path(__file__).with_name("probe.py").read_bytes()
    return CellSpec(arguments=("/probe.py", mode, argument), files={"/probe.py": source}, limits=limits, mounts=mounts)


def _frame(reply: bytes) -> int:
    """Expect a length of 8 bytes, then that many."""
    return 8 if len(reply) < 8 else 8 + min(int.from_bytes(reply[:8], "little"), _MIB)  # noqa: PLR2004 - u64


def _ask(cell: SandboxCell) -> Any:
    return json.loads(cell.exchange(b"", _frame, _LIMITS.start)[8:])


def _looked(state: Path, folder: Path, told: dict[str, Any]) -> list[Check]:
    """Let the probe look around one cell; return every check."""
    spec = _spec(_LIMITS, "look", json.dumps(told), (Mount(source=folder / "input", target="/input"),))
    with opened(spec, state) as cell:
        try:
            facts = _ask(cell)
        except CandidateFailed as error:
            tail = cell.stderr.decode("utf-8", "replace")[-400:]
            return [Check(layers.NAMESPACES, "the probe", held=False, seen=f"{error}: {tail}")]
        uid = Path(f"/proc/{cell.inner}").stat().st_uid
        expected = Expected(
            variables=machine.variables(),
            limits=hard_limits(_LIMITS),
            namespaces={kind: str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in _NAMESPACES},
            uid=uid,
            uids=pool.pool(os.environ) if os.geteuid() == 0 else None,
        )
    return layers.checks(facts, expected)


def _bomb(state: Path, mode: str, argument: str, wanted: str) -> Check:
    """Let one bounded excess happen; the supervisor must stop it for the right reason."""
    limits = replace(_LIMITS, run=_SHORT) if wanted == "killed_time" else _LIMITS
    with opened(_spec(limits, mode, argument), state) as cell:
        try:
            _ask(cell)
        except CandidateFailed as error:
            return Check(layers.SUPERVISOR, mode, error.failure.kind == wanted, str(error))
    return Check(layers.SUPERVISOR, mode, held=False, seen="not stopped")


def _daemon(state: Path) -> list[Check]:
    """Leave a daemon behind; after the close nothing with its word in the command line may live."""
    nonce = secrets.token_hex(8)
    with opened(_spec(_LIMITS, "daemon", nonce), state) as cell:
        try:
            _ask(cell)
        except CandidateFailed as error:
            return [Check(layers.SUPERVISOR, "daemon", held=False, seen=str(error))]
        before = _with_word(nonce)
        cell.close()
    after = _with_word(nonce)
    return [
        Check(layers.SUPERVISOR, "daemon was alive", bool(before), before),
        Check(layers.SUPERVISOR, "daemon is gone", not after, after),
    ]


def _with_word(word: str) -> list[int]:
    """List the processes of this machine that have a word in their command line."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue  # it ended while we looked
    return found
