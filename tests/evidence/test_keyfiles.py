"""Key files: made once, for their owner only; refused when anyone else could have read them."""

from __future__ import annotations

import os
import stat

import pytest

from pilotbase.evidence.keyfiles import (
    SECRET_SIZE,
    load_ring,
    load_secret,
    load_signing_key,
    read_private,
    save_ring,
    write_private,
)
from pilotbase.evidence.keys import KeyRing, init
from pilotbase.foundation.errors import FaultError, InputError


@pytest.fixture(params=[0o022, 0o000, 0o777], ids=oct)
def umask(request, tmp_path):
    assert tmp_path.is_dir()  # made before the umask is
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_a_private_file_has_mode_0600_whatever_the_umask(tmp_path):
    write_private(tmp_path / "k", b"content")
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600
    assert read_private(tmp_path / "k") == b"content"


def test_a_private_file_is_never_written_over(tmp_path):
    write_private(tmp_path / "k", b"first")
    with pytest.raises(InputError) as caught:
        write_private(tmp_path / "k", b"second")
    assert caught.value.remedy is not None
    assert read_private(tmp_path / "k") == b"first"


def test_a_link_is_not_followed_when_a_private_file_is_made(tmp_path):
    (tmp_path / "k").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError):
        write_private(tmp_path / "k", b"content")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o601, 0o660, 0o644, 0o777])
def test_a_private_file_that_others_may_read_is_refused_with_a_remedy(tmp_path, mode, key):
    write_private(tmp_path / "k", key.to_pem())
    (tmp_path / "k").chmod(mode)
    with pytest.raises(InputError) as caught:
        load_signing_key(tmp_path / "k")
    assert f"{mode:04o}" in caught.value.found
    assert caught.value.remedy is not None
    assert "chmod 600" in caught.value.remedy.en
    assert "chmod 600" in caught.value.remedy.zh
    (tmp_path / "k").chmod(0o600)
    assert load_signing_key(tmp_path / "k").keyid == key.keyid


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: giving a file to another user")
def test_a_private_file_of_another_user_is_refused(tmp_path):
    write_private(tmp_path / "k", b"content")
    os.chown(tmp_path / "k", 12345, -1)
    with pytest.raises(InputError, match="others may read"):
        read_private(tmp_path / "k")


def test_a_missing_file_says_how_to_make_it(tmp_path):
    for load in (load_signing_key, load_secret, load_ring):
        with pytest.raises(InputError) as caught:
            load(tmp_path / "missing")
        assert caught.value.remedy is not None
        assert "pilotbase keys init" in caught.value.remedy.en


def test_a_folder_is_no_key(tmp_path):
    with pytest.raises(FaultError):
        read_private(tmp_path)
    with pytest.raises(FaultError):
        load_ring(tmp_path)


def test_a_missing_folder_is_a_fault_in_words(tmp_path, ring):
    with pytest.raises(FaultError):
        write_private(tmp_path / "no" / "k", b"x")
    with pytest.raises(FaultError):
        save_ring(tmp_path / "no" / "keys.json", ring)


def test_a_secret_has_exactly_its_length(tmp_path):
    write_private(tmp_path / "good", b"s" * SECRET_SIZE)
    assert load_secret(tmp_path / "good") == b"s" * SECRET_SIZE
    for length in (0, SECRET_SIZE - 1, SECRET_SIZE + 1):
        write_private(tmp_path / f"bad{length}", b"s" * length)
        with pytest.raises(InputError, match="32 bytes"):
            load_secret(tmp_path / f"bad{length}")


def test_a_ring_is_replaced_in_one_step_and_leaves_nothing_beside_it(tmp_path, ring):
    save_ring(tmp_path / "keys.json", ring)
    assert load_ring(tmp_path / "keys.json") == ring
    more, _ = init(ring, "second", ring.keys[0].valid_from)
    save_ring(tmp_path / "keys.json", more)
    assert load_ring(tmp_path / "keys.json") == more
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_a_ring_that_cannot_be_replaced_stays(tmp_path, ring):
    (tmp_path / "keys.json").mkdir()
    (tmp_path / "keys.json" / "x").write_bytes(b"")
    with pytest.raises(FaultError):
        save_ring(tmp_path / "keys.json", KeyRing())
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
    assert ring
