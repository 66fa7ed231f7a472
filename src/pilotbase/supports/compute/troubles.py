"""What pip could not do, said so that a person can mend it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable


@dataclass(frozen=True, slots=True)
class Trouble:
    """A known kind of trouble: words of pip that tell it, what it means, how to mend it."""

    signs: tuple[str, ...]
    what: Text
    remedy: Text


_KNOWN = (
    Trouble(
        ("DO NOT MATCH THE HASHES",),
        Text(zh="软件包的哈希与锁定值不符", en="a package does not have the locked hash"),
        Text(
            zh="请勿使用该文件；若确为新版本，请重新生成锁定文件",
            en="do not use that file; if it is a new release, make the lock anew",
        ),
    ),
    Trouble(
        ("require-hashes mode", "Hashes are required"),
        Text(
            zh="锁定文件不完整：有依赖未锁定版本或哈希",
            en="the lock is not complete: a dependency lacks version or hash",
        ),
        Text(
            zh="请用 pip-compile --generate-hashes 重新生成，使其包含全部间接依赖",
            en="make it anew with pip-compile --generate-hashes, so that it names every indirect dependency",
        ),
    ),
    Trouble(
        (
            "NewConnectionError", "Temporary failure in name resolution", "Connection refused", "ConnectTimeout",
            "Read timed out", "timed out", "SSLError", "ProxyError", "Network is unreachable", "RemoteDisconnected",
        ),
        Text(zh="无法连接软件包来源", en="the source of packages cannot be reached"),
        Text(
            zh="请检查网络与 pip 的镜像配置，或在联网机器上下载后用 --wheels 指定文件夹",
            en="check the network and pip's index settings, or download elsewhere and give the folder with --wheels",
        ),
    ),
    Trouble(
        ("No matching distribution", "Could not find a version"),
        Text(zh="没有适用于本机的 wheel", en="there is no wheel for this machine"),
        Text(
            zh="请换用提供 wheel 的版本（源码包会在安装时执行代码，因此不接受），并检查软件包来源是否可用",
            en="lock a version that has one (source distributions run code when installed and are not accepted), and "
            "check that the source of packages works",
        ),
    ),
    Trouble(
        ("No space left", "killed_scratch"),
        Text(zh="空间不足", en="no space is left"),
        Text(zh="请释放磁盘与内存空间后重试", en="free disk space and memory, then try again"),
    ),
)  # fmt: skip
_UNKNOWN = Trouble(
    (),
    Text(zh="无法安装应用的依赖", en="the application's packages cannot be installed"),
    Text(zh="请按 pip 的提示检查锁定文件", en="see what pip says, and mend the lock"),
)


def trouble(lock: Path, told: str) -> InputError:
    """Return the error for what pip told."""
    kind = next((kind for kind in _KNOWN if any(sign in told for sign in kind.signs)), _UNKNOWN)
    lines = [line.strip() for line in told.splitlines() if "ERROR" in line] or [told.strip()[-300:]]
    return InputError(
        kind.what,
        place=Place(file=str(lock)),
        found=printable("; ".join(lines[:4]), 500),
        expected=Text(zh="哈希锁定且有 wheel 的软件包", en="packages locked by hash that have a wheel"),
        remedy=kind.remedy,
    )
