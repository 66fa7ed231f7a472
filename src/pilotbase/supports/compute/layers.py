"""The layers of isolation: what the probe saw, judged layer by layer. Pure: facts in, layers out.

Source  the numbering and the meaning of the layers: docs, "Isolation"; what must be seen of each stands below.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pilotbase.foundation.errors import PilotbaseError
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.trace import Isolation, Layer

SIGSYS = 31
NO_LABELS = "1 no labels in the cell"
CLEAN_LAUNCH = "2 clean launch"
UID_DROP = "3 uid drop"
NAMESPACES = "4 namespaces"
SECCOMP = "5 seccomp"
LANDLOCK = "6 Landlock"
RLIMITS = "7 rlimits"
SUPERVISOR = "8 supervisor"
CGROUP = "9 cgroup"

_HELD = {
    NO_LABELS: Text(
        zh="沙箱内读不到状态文件夹和预先放置的标记文件",
        en="neither the state folder nor planted files can be read from inside",
    ),
    CLEAN_LAUNCH: Text(
        zh="环境变量、文件描述符均在白名单内，独立会话",
        en="only listed variables and descriptors; a session of its own",
    ),
    UID_DROP: Text(zh="以专用用户运行，没有附加组", en="runs on a uid of its own, without further groups"),
    NAMESPACES: Text(
        zh="六种命名空间均独立；看不到宿主机的进程与网络；只读文件系统；没有任何特权",
        en="six namespaces of its own; no host process or network in sight; read-only file system; no capability",
    ),
    SECCOMP: Text(
        zh="系统调用过滤生效，32 位入口与 x32 均被终止",
        en="the system-call filter holds; the 32-bit entry and x32 are fatal",
    ),
    RLIMITS: Text(zh="进程级硬限制均已生效", en="hard limits of each process stand"),
    SUPERVISOR: Text(
        zh="内存、进程数、磁盘、输出、时间超限均被终止，遗留的守护进程被清除",
        en="excess of memory, processes, disk, output and time is stopped; a daemon left behind is gone",
    ),
}
_NOT_USED = Text(zh="本版本未使用", en="not used in this release")
_SAMPLED = Text(
    zh="本版本未使用：内存与进程数每 50 毫秒采样一次，CPU 时间为下限",
    en="not used in this release: memory and processes are sampled every 50 ms, processor time is a lower bound",
)
_NO_DROP = Text(
    zh="由普通用户启动，无需切换；送测应用以该用户的编号在用户命名空间内运行",
    en="started by an ordinary user, nothing to drop; the candidate has that uid, inside a user namespace",
)
_REPORT = Text(
    zh="这是一项隔离缺陷：请勿在本机开展中试，并连同 pilotbase doctor 的输出一起反馈",
    en="this is a hole: run no pilot on this machine, and report it with the output of pilotbase doctor",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must have been seen."""

    layer: str
    name: str
    held: bool
    seen: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the host knows and the probe must have seen."""

    variables: dict[str, str]
    limits: dict[str, int]
    namespaces: dict[str, str]
    """The host's own."""
    uid: int
    """Of the cell's processes, as the host sees them."""
    uids: range | None
    """The pool; None for an ordinary user."""


def checks(facts: dict[str, Any], expected: Expected) -> list[Check]:
    """Return every check of what the probe told from inside one cell."""
    return [
        *_labels(facts),
        *_launch(facts, expected),
        *_identity(facts, expected),
        *_walls(facts, expected),
        *_filter(facts),
        *_limits(facts, expected),
    ]


def judge(found: list[Check], *, drops: bool) -> tuple[Layer, ...]:
    """Return the layers in order; one stands when it had checks and all held. ``drops``: root started it."""
    first = [_layer(name, found) for name in (NO_LABELS, CLEAN_LAUNCH)]
    identity = (
        _layer(UID_DROP, found) if drops else Layer(name=UID_DROP, present=False, required=False, detail=_NO_DROP)
    )
    return (
        *first,
        identity,
        _layer(NAMESPACES, found),
        _layer(SECCOMP, found),
        Layer(name=LANDLOCK, present=False, required=False, detail=_NOT_USED),
        _layer(RLIMITS, found),
        _layer(SUPERVISOR, found),
        Layer(name=CGROUP, present=False, required=False, detail=_SAMPLED),
    )


def none(error: PilotbaseError) -> Isolation:
    """Return the record of a machine on which no cell starts; the cause stands at layer 4."""
    found = f": {error.found}" if error.found else ""
    cause = Text(zh=f"{error.what.zh}{found}", en=f"{error.what.en}{found}")
    unseen = Text(zh="沙箱无法启动，未能探测", en="not probed: the cell does not start")
    required = [
        Layer(
            name=name,
            present=False,
            required=True,
            detail=cause if name == NAMESPACES else unseen,
            remedy=error.remedy if name == NAMESPACES else None,
        )
        for name in (NAMESPACES, NO_LABELS, CLEAN_LAUNCH, SECCOMP, RLIMITS, SUPERVISOR)
    ]
    return Isolation(level="none", layers=tuple(required), kernel=platform.release(), bubblewrap="", filter="")


def _layer(name: str, found: list[Check]) -> Layer:
    mine = [check for check in found if check.layer == name]
    failing = "; ".join(f"{check.name}: {check.seen}" for check in mine if not check.held)
    if mine and not failing:
        return Layer(name=name, present=True, required=True, detail=_HELD[name])
    told = printable(failing or "-", 500)
    detail = Text(zh="探测未通过：{told}", en="probes that did not pass: {told}").fill(told=told)
    return Layer(name=name, present=False, required=True, detail=detail, remedy=_REPORT)


def _refused(layer: str, group: str, answers: dict[str, str]) -> Iterator[Check]:
    for name, answer in answers.items():
        yield Check(layer, f"{group} {name}", answer != "open", answer)


def _labels(facts: dict[str, Any]) -> Iterator[Check]:
    yield from _refused(NO_LABELS, "read", facts["canaries"])
    yield Check(NO_LABELS, "host socket", facts["pathname"] != "open", facts["pathname"])


def _launch(facts: dict[str, Any], expected: Expected) -> Iterator[Check]:
    wanted = expected.variables | {"PWD": "/tmp"}  # noqa: S108 - set by bubblewrap with the working folder
    yield Check(
        CLEAN_LAUNCH, "variables", facts["environ"] == wanted, sorted(facts["environ"].items() ^ wanted.items())
    )
    handles = facts["handles"]
    yield Check(CLEAN_LAUNCH, "descriptors", handles == {"0": "pipe", "1": "pipe", "2": "pipe"}, handles)
    yield Check(CLEAN_LAUNCH, "session", facts["session"] > 0, facts["session"])


def _identity(facts: dict[str, Any], expected: Expected) -> Iterator[Check]:
    ids = facts["ids"]
    if expected.uids is not None:
        yield Check(UID_DROP, "ids", set(ids) == {expected.uid} and len(ids) == 4, ids)  # noqa: PLR2004 - no groups
        yield Check(UID_DROP, "uid on the host", expected.uid in expected.uids, expected.uid)


def _walls(facts: dict[str, Any], expected: Expected) -> Iterator[Check]:
    for kind, own in expected.namespaces.items():
        yield Check(NAMESPACES, f"namespace {kind}", facts["namespaces"].get(kind) not in (None, own), own)
    others = [line for line in facts["processes"] if "/probe.py" not in line]
    yield Check(NAMESPACES, "processes of the host", not others, others)
    yield Check(NAMESPACES, "tcp to the host", facts["tcp"] != "open", facts["tcp"])
    yield Check(NAMESPACES, "abstract socket of the host", facts["abstract"] != "open", facts["abstract"])
    yield Check(NAMESPACES, "own input", facts["input"] == "open", facts["input"])
    yield Check(NAMESPACES, "mode of input", facts["chmod"] != "open", facts["chmod"])
    yield from _refused(NAMESPACES, "write", facts["rewritten"])
    yield from _refused(NAMESPACES, "create", facts["created"])
    for name in ("CapEff", "CapPrm", "CapBnd"):
        yield Check(NAMESPACES, name, int(facts["status"].get(name, "1"), 16) == 0, facts["status"].get(name))


def _filter(facts: dict[str, Any]) -> Iterator[Check]:
    status = facts["status"]
    yield Check(SECCOMP, "no_new_privs", status.get("NoNewPrivs") == "1", status.get("NoNewPrivs"))
    yield Check(SECCOMP, "mode", status.get("Seccomp") == "2", status.get("Seccomp"))
    for name, answer in facts["families"].items():
        yield Check(SECCOMP, f"socket {name}", answer == "EAFNOSUPPORT", answer)
    for name, answer in facts["calls"].items():
        wanted = "ENOSYS" if name in ("clone3", "beyond_the_table") else "EPERM"
        yield Check(SECCOMP, name, answer == wanted, answer)
    yield Check(SECCOMP, "a plain fork", facts["fork"] == 0, facts["fork"])
    yield Check(SECCOMP, "32-bit entry", facts["entry_32"] == SIGSYS, facts["entry_32"])
    yield Check(SECCOMP, "x32", facts["x32"] == SIGSYS, facts["x32"])


def _limits(facts: dict[str, Any], expected: Expected) -> Iterator[Check]:
    for name, value in expected.limits.items():
        soft, hard = facts["limits"][name]
        yield Check(RLIMITS, name, soft == hard and 0 <= hard <= value, [soft, hard])
