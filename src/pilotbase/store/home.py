"""Where things lie: one state folder for each base, with rights that keep hidden data and keys to their owner.

FORMATS section 9. As root the state folder is 0711, so that cells under other users can reach ``envs/`` (0755) by
name; everything else is 0700. As an ordinary user all is 0700.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pilotbase.foundation.errors import InputError, Place, UsageError
from pilotbase.foundation.text import Text, printable
from pilotbase.store.disk import disk_work

VARIABLE = "PILOTBASE_HOME"
_ROOT_FOLDER = Path("/var/lib/pilotbase")
_MARK = "ledger"  # the subfolder by which a state folder is known


@dataclass(frozen=True, slots=True)
class Home:
    """The state folder of a base. Nothing is made before ``prepare``."""

    root: Path
    shared: bool  # run by root: cells drop to other users, who must pass through the state folder

    @property
    def keys(self) -> Path:
        """Folder of the signing key and the ring."""
        return self.root / "keys"

    @property
    def signing_key(self) -> Path:
        """File of the base's private key, PKCS#8 PEM."""
        return self.keys / "signing.pem"

    @property
    def ring(self) -> Path:
        """File of the public keys that this base trusts, its own included."""
        return self.keys / "keys.json"

    @property
    def secret(self) -> Path:
        """File of the base's secret, from which orders are drawn: apart from the keys."""
        return self.root / "secret" / "base.secret"

    @property
    def ledger(self) -> Path:
        """File of the embedded database: ledger, leases, log."""
        return self.root / _MARK / "ledger.sqlite"

    @property
    def custody(self) -> Path:
        """Folder of hidden data."""
        return self.root / "custody"

    @property
    def envs(self) -> Path:
        """Folder of the environments of packs and candidates."""
        return self.root / "envs"

    @property
    def blobs(self) -> Path:
        """Folder of blobs."""
        return self.root / "blobs"

    @property
    def work(self) -> Path:
        """Folder of pilots under way."""
        return self.root / "work"

    def modes(self) -> dict[Path, int]:
        """Return every folder with the rights it must have, the state folder first."""
        # the mark comes first: a kill in between leaves a folder that is known as ours
        private = (self.ledger.parent, self.keys, self.secret.parent, self.custody, self.blobs, self.work)
        return {
            self.root: 0o711 if self.shared else 0o700,
            **dict.fromkeys(private, 0o700),
            self.envs: 0o755 if self.shared else 0o700,
        }

    def prepare(self) -> None:
        """Make what is missing and set the rights of all.

        Raises InputError if the place is a folder in use for something else or belongs to someone else, FaultError if
        the disk fails.
        """
        with disk_work(self.root, Text(zh="已有的内容未改动", en="what was there is untouched")):
            _refuse_foreign(self.root)
            self.root.parent.mkdir(parents=True, exist_ok=True)
            for folder, mode in self.modes().items():
                folder.mkdir(mode=0o700, exist_ok=True)
                if stat.S_IMODE(folder.stat().st_mode) != mode:  # whatever the umask, or the release before
                    folder.chmod(mode)


def home(environment: Mapping[str, str], uid: int | None = None) -> Home:
    """Return the base's home: where the environment says, else the usual place of root or user. FORMATS section 9.

    Args:
        environment: variables, as in ``os.environ``; an empty one counts as not set.
        uid: whose home; None = the effective user of this process.

    Raises:
        UsageError: an ordinary user without PILOTBASE_HOME, XDG_STATE_HOME and HOME.

    """
    as_root = (_effective_uid() if uid is None else uid) == 0
    if named := environment.get(VARIABLE):
        return Home(Path(named).absolute(), as_root)
    if as_root:
        return Home(_ROOT_FOLDER, as_root)
    state = Path(environment.get("XDG_STATE_HOME", ""))
    if state.is_absolute():  # the XDG base directory specification: a relative one is ignored
        return Home(state / "pilotbase", as_root)
    user = Path(environment.get("HOME", ""))
    if not user.is_absolute():
        raise UsageError(
            Text(zh="不知道状态文件夹应放在何处", en="there is no place for the state folder"),
            found=printable(f"HOME={environment.get('HOME', '')}"),
            remedy=Text(zh="请设置环境变量 {name}", en="set the environment variable {name}").fill(name=VARIABLE),
        )
    return Home(user / ".local" / "state" / "pilotbase", as_root)


def _effective_uid() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else -1  # where there is no root, nobody is


def _refuse_foreign(root: Path) -> None:
    """Never tighten the rights of a folder that is not ours: someone may have named ``/home`` or ``/``."""
    if not root.exists():
        return
    if not root.is_dir() or (any(root.iterdir()) and not (root / _MARK).is_dir()):
        raise InputError(
            Text(
                zh="状态文件夹的位置上已有别的内容",
                en="something else lies where the state folder should be",
            ),
            place=Place(file=str(root)),
            remedy=Text(zh="请在 {name} 中指定一个新的或空的文件夹", en="name a new or empty folder in {name}").fill(
                name=VARIABLE
            ),
        )
    owner = root.stat().st_uid
    if _effective_uid() not in (owner, -1):
        raise InputError(
            Text(zh="状态文件夹属于另一用户", en="the state folder belongs to another user"),
            place=Place(file=str(root)),
            found=f"uid {owner}",
            expected=Text(zh="uid {uid}", en="uid {uid}").fill(uid=_effective_uid()),
            remedy=Text(zh="请以该用户运行，或另选文件夹", en="run as that user, or choose another folder"),
        )
