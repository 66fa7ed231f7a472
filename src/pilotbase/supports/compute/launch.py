"""The launcher: a forked child of the supervisor that makes sources reachable, drops its rights and becomes bwrap.

The order matters: a private mount namespace and the staging need root; after the drop nothing may need it any more.
Standard library only: the supervisor imports this file in a bare interpreter.
"""

# ruff: noqa: PTH101, PTH102, PTH103, PTH112, PTH115, PTH116, PTH120, PTH211
# It must start fast: no pathlib.

from __future__ import annotations

import os
import shutil
import stat

from pilotbase.supports.compute import linux
from pilotbase.supports.compute.order import Identity, Order, Staging

FAILED = 126  # exit code of a launcher that could not become bwrap
_SLACK = 16 << 20  # bytes of a staging tmpfs beside what is copied into it


def become(order: Order, stderr: int) -> None:
    """Turn this forked child into bwrap. Never returns; a fault is told on standard error."""
    try:
        os.dup2(stderr, 2)
        os.umask(0o022)
        if order["staging"] is not None and order["staging"]["by"] == "mount":
            stage_by_mount(order["staging"])
        if order["identity"] is not None:
            drop(order["identity"])
        os.dup2(order["stdin"], 0)
        os.dup2(order["stdout"], 1)
        for handle in order["passed"]:
            os.set_inheritable(handle, True)
        os.chdir("/")
        os.execve(order["command"][0], order["command"], {})  # noqa: S606 - no shell, no environment
    except BaseException as error:  # noqa: BLE001 - whatever it is, this child must not live on as a second supervisor
        os.write(2, f"launcher: {type(error).__name__}: {error}\n".encode("utf-8", "backslashreplace"))
    finally:
        os._exit(FAILED)


def drop(identity: Identity) -> None:
    """Become the pool uid for good: groups, then gid, then uid. Raises OSError."""
    os.setgroups([])
    os.setresgid(identity["gid"], identity["gid"], identity["gid"])
    os.setresuid(identity["uid"], identity["uid"], identity["uid"])
    if os.getresuid() != (identity["uid"],) * 3 or os.getresgid() != (identity["gid"],) * 3 or os.getgroups():
        raise PermissionError("the uid was not dropped")


def stage_by_mount(staging: Staging) -> None:
    """Show every source on a 0755 tmpfs in a mount namespace of our own; nothing of it is seen outside.

    Sources are held open before the tmpfs covers its folder, so that they may lie below that folder themselves.
    """
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("", "/", "", linux.MS_REC | linux.MS_PRIVATE)
    handles = [os.open(item["source"], os.O_PATH | os.O_CLOEXEC) for item in staging["items"]]
    size = sum(_size(item["source"]) for item in staging["items"] if item["copied"]) + _SLACK
    root = staging["root"]
    linux.mount("tmpfs", root, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, f"mode=0755,size={size}")
    for item, handle in zip(staging["items"], handles, strict=True):
        source, target = f"/proc/self/fd/{handle}", f"{root}/{item['name']}"
        if item["copied"]:
            copy_open(source, target, item["hidden"])
        else:
            _bind(source, target)
    linux.mount("", root, "", linux.MS_REMOUNT | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV)


def _bind(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if stat.S_ISDIR(os.stat(source).st_mode):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o644))
    linux.mount(source, target, "", linux.MS_BIND | linux.MS_REC)


def stage_by_copy(staging: Staging) -> None:
    """Copy every source below a fresh folder: for a root that has no right to mount."""
    for item in staging["items"]:
        copy_open(item["source"], f"{staging['root']}/{item['name']}", item["hidden"])


def unstage_copy(staging: Staging) -> None:
    """Remove what ``stage_by_copy`` made. Its folders are read-only, which does not stop root."""
    shutil.rmtree(staging["root"], ignore_errors=True)


def copy_open(source: str, target: str, hidden: list[str]) -> None:
    """Copy a file or folder so that all may read it: 0755 for folders and programs, 0644 for the rest.

    Hidden folders (relative names) are left empty.
    Links are copied as links and never followed; anything that is neither file, folder nor link is left out.
    """
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.isdir(source):
        _copy_file(source, target)
        return
    os.mkdir(target)
    os.chmod(target, 0o755)  # noqa: S103 - read by the pool uid
    for entry in os.scandir(source):
        to = f"{target}/{entry.name}"
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), to)
        elif entry.name in hidden:
            os.mkdir(to)
        elif entry.is_dir():
            copy_open(entry.path, to, _below(hidden, entry.name))
        elif entry.is_file():
            _copy_file(entry.path, to)


def _below(hidden: list[str], name: str) -> list[str]:
    return [path[len(name) + 1 :] for path in hidden if path.startswith(f"{name}/")]


def _copy_file(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    state = os.stat(source)
    os.chmod(target, 0o755 if state.st_mode & 0o111 else 0o644)
    os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))  # byte code is checked against the time of its source


def _size(source: str) -> int:
    """Return bytes to reserve for a copy: content, and a page for each entry."""
    if not os.path.isdir(source):
        return os.stat(source).st_size + 4096
    total = 4096
    for folder, names, files in os.walk(source):
        total += sum(os.lstat(f"{folder}/{name}").st_size + 8192 for name in files) + 4096 * len(names)
    return total
