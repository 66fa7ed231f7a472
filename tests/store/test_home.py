"""Where things lie, for root and for a user, and with which rights."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pilotbase.foundation.errors import FaultError, InputError, UsageError
from pilotbase.store.home import Home, home

FOLDERS = ("ledger", "keys", "secret", "custody", "envs", "blobs", "work")


@pytest.mark.parametrize(
    ("environment", "uid", "expected"),
    [
        ({"PILOTBASE_HOME": "/srv/base", "HOME": "/home/x", "XDG_STATE_HOME": "/s"}, 1000, "/srv/base"),
        ({"PILOTBASE_HOME": "/srv/base"}, 0, "/srv/base"),
        ({"HOME": "/home/admin", "XDG_STATE_HOME": "/s"}, 0, "/var/lib/pilotbase"),
        ({}, 0, "/var/lib/pilotbase"),
        ({"PILOTBASE_HOME": ""}, 0, "/var/lib/pilotbase"),
        ({"HOME": "/home/x", "XDG_STATE_HOME": "/s"}, 1000, "/s/pilotbase"),
        ({"HOME": "/home/x"}, 1000, "/home/x/.local/state/pilotbase"),
        ({"HOME": "/home/x", "XDG_STATE_HOME": ""}, 1000, "/home/x/.local/state/pilotbase"),
        ({"HOME": "/home/x", "XDG_STATE_HOME": "relative"}, 1000, "/home/x/.local/state/pilotbase"),
        ({"HOME": "/home/张 三"}, 1000, "/home/张 三/.local/state/pilotbase"),
    ],
)
def test_the_place_is_that_of_the_format(environment, uid, expected):
    found = home(environment, uid)
    assert found.root == Path(expected)
    assert found.shared == (uid == 0)


def test_a_relative_place_is_taken_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert home({"PILOTBASE_HOME": "./.pilotbase"}, 1000).root == tmp_path / ".pilotbase"


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}, {"HOME": "relative\x1b"}])
def test_a_user_without_any_place_is_told_what_to_set(environment):
    with pytest.raises(UsageError) as caught:
        home(environment, 1000)
    assert caught.value.remedy is not None
    assert "PILOTBASE_HOME" in caught.value.remedy.en
    assert "PILOTBASE_HOME" in caught.value.remedy.zh
    assert caught.value.found.isprintable()


def test_the_effective_user_decides_when_none_is_named():
    assert home({"PILOTBASE_HOME": "/srv/base"}).shared == (os.geteuid() == 0)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o022, 0o000, 0o077], ids=oct)
def umask(request, tmp_path):
    assert tmp_path.is_dir()  # made before the umask is
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(("shared", "root", "envs"), [(True, 0o711, 0o755), (False, 0o700, 0o700)])
def test_folders_have_exactly_the_rights_of_the_format(tmp_path, shared, root, envs):
    place = Home(tmp_path / "new" / "base 中试", shared)
    place.prepare()
    assert mode(place.root) == root
    assert {path.name: mode(path) for path in place.root.iterdir()} == {
        name: envs if name == "envs" else 0o700 for name in FOLDERS
    }


def test_every_path_lies_in_a_folder_that_prepare_makes(tmp_path):
    place = Home(tmp_path / "base", shared=False)
    place.prepare()
    assert {place.keys, place.custody, place.envs, place.blobs, place.work} <= set(place.modes())
    for file in (place.signing_key, place.ring, place.secret, place.ledger):
        assert file.parent in place.modes()
        assert not file.exists()
    assert place.secret.parent != place.signing_key.parent


def test_preparing_again_keeps_the_content_and_mends_the_rights(tmp_path):
    place = Home(tmp_path / "base", shared=True)
    place.prepare()
    (place.keys / "x").write_bytes(b"kept")
    place.keys.chmod(0o755)
    place.root.chmod(0o777)
    (place.work).rmdir()
    place.prepare()
    assert (mode(place.root), mode(place.keys), mode(place.work)) == (0o711, 0o700, 0o700)
    assert (place.keys / "x").read_bytes() == b"kept"


def test_an_empty_folder_is_taken_and_so_is_one_that_was_left_half_made(tmp_path):
    place = Home(tmp_path, shared=False)
    tmp_path.chmod(0o755)
    place.prepare()
    assert mode(tmp_path) == 0o700
    half = Home(tmp_path / "work" / "half", shared=False)
    first = list(half.modes())[:2]  # what a kill right after the start leaves
    for folder in first:
        folder.mkdir()
    half.prepare()
    assert half.blobs.is_dir()


def test_a_folder_in_use_for_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "letters").mkdir()
    tmp_path.chmod(0o755)
    with pytest.raises(InputError) as caught:
        Home(tmp_path, shared=True).prepare()
    assert caught.value.remedy is not None
    assert mode(tmp_path) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "base").write_bytes(b"x")
    with pytest.raises(InputError):
        Home(tmp_path / "base", shared=False).prepare()


def test_a_file_in_the_way_of_a_subfolder_is_a_fault(tmp_path):
    place = Home(tmp_path / "base", shared=False)
    place.prepare()
    place.work.rmdir()
    place.work.write_bytes(b"x")
    with pytest.raises(FaultError):
        place.prepare()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: giving a folder to another user")
def test_a_state_folder_of_another_user_is_refused(tmp_path):
    place = Home(tmp_path / "base", shared=True)
    place.prepare()
    os.chown(place.root, 12345, -1)
    with pytest.raises(InputError, match="another user"):
        place.prepare()
