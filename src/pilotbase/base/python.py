"""The Python door: the main verbs with plain arguments, for notebooks and scripts.

>>> import pilotbase
>>> pilotbase.rehearse("healthcare/covid-test-triage", "my-candidate").passed  # doctest: +SKIP
7
"""

from __future__ import annotations

from pathlib import Path

from pilotbase.base import verbs
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.line.rehearse import Rehearsed
from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.scenario import Scenario
from pilotbase.pilot.soundness import read_sound
from pilotbase.pilot.verdict import Verdict
from pilotbase.pilot.verify import Report


def run(scenario: str, candidate: str | Path, out: str | Path | None = None) -> Verdict:
    """Pilot a candidate to a signed verdict; the dossier is written to ``out`` or ``dossiers/<pilot id>``.

    Args:
        scenario: ``sector/name`` or ``sector/name@version``, installed on this base.
        candidate: a folder or archive with ``candidate.toml``.
        out: folder of the dossier; must not exist.

    Raises:
        pilotbase.foundation.errors.PilotbaseError: with place, found, expected and remedy.

    """
    return verbs.run(scenario, Path(candidate), out=None if out is None else Path(out)).verdict


def rehearse(scenario: str, candidate: str | Path) -> Rehearsed:
    """Walk the same line on the public sample, without isolation and without signing. Never a verdict."""
    return verbs.rehearse(scenario, Path(candidate))


def verify(dossier: str | Path, trust: str | Path | None = None) -> Report:
    """Verify a dossier with the keys of ``trust``, else with those of the local base."""
    return verbs.verify(Path(dossier), trust=None if trust is None else Path(trust))


def load_verdict(dossier: str | Path) -> Verdict:
    """Read a dossier's verdict as it stands, unverified: call ``verify`` before relying on it."""
    return verbs.read_public(verbs.open_copy(Path(dossier)))[1]


def load_scenario(path: str | Path) -> Scenario:
    """Read a ``scenario.toml``. Raises InputError with file, field, line and remedy."""
    return read_sound(_content(Path(path)), Scenario, str(path))


def load_candidate(path: str | Path) -> Candidate:
    """Read a ``candidate.toml``. Raises InputError with file, field, line and remedy."""
    return read_sound(_content(Path(path)), Candidate, str(path))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            Text(zh="文件不存在或无法读取", en="the file does not exist or cannot be read"),
            place=Place(file=str(path)),
            found=printable(error.strerror or str(error)),
            remedy=Text(zh="请核对路径", en="check the path"),
        ) from error
