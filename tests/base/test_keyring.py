"""The base's keys: made once, closed to others, never written over."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from fake_base import Ticking, variables

from pilotbase.base import keyring
from pilotbase.evidence.keyfiles import load_ring
from pilotbase.foundation.errors import UsageError
from pilotbase.store.home import home


def test_init_makes_key_ring_and_secret_apart(tmp_path: Path) -> None:
    made = keyring.init("示范基地", variables(tmp_path / "home"), Ticking())
    place = home(variables(tmp_path / "home"))
    for path in (place.signing_key, place.secret):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert place.secret.parent != place.signing_key.parent
    assert len(place.secret.read_bytes()) == 32
    assert made.ring == place.ring
    (listed,) = keyring.ring(variables(tmp_path / "home")).keys
    assert (listed.keyid, listed.owner) == (made.keyid, "示范基地")


def test_a_second_init_changes_nothing(tmp_path: Path) -> None:
    told = variables(tmp_path / "home")
    keyring.init("base", told, Ticking())
    before = {path: path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()}
    with pytest.raises(UsageError) as caught:
        keyring.init("base", told, Ticking())
    assert caught.value.remedy is not None
    assert {path: path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()} == before


def test_an_init_that_was_cut_short_can_be_done_again(tmp_path: Path) -> None:
    """The signing key comes last: a base that has it has all the rest; what was there is kept."""
    told = variables(tmp_path / "home")
    keyring.init("base", told, Ticking())
    place = home(told)
    secret = place.secret.read_bytes()
    place.signing_key.unlink()
    made = keyring.init("base", told, Ticking())
    assert place.secret.read_bytes() == secret
    assert [key.keyid for key in keyring.ring(told).keys][-1] == made.keyid


@pytest.mark.parametrize("owner", ["", " ", "a\nb", "x" * 201, "\x1b[2J"])
def test_an_owner_is_a_plain_name(tmp_path: Path, owner: str) -> None:
    with pytest.raises(UsageError) as caught:
        keyring.init(owner, variables(tmp_path / "home"), Ticking())
    assert caught.value.found.isprintable()
    assert not home(variables(tmp_path / "home")).signing_key.exists()


def test_export_retire_revoke(tmp_path: Path) -> None:
    told, clock = variables(tmp_path / "home"), Ticking()
    keyid = keyring.init("base", told, clock).keyid
    keyring.export(tmp_path / "keys.json", told)
    assert load_ring(tmp_path / "keys.json") == keyring.ring(told)
    keyring.retire(keyid, told, clock)
    assert keyring.ring(told).keys[0].retired_at is not None
    with pytest.raises(UsageError):
        keyring.retire(keyid, told, clock)
    keyring.revoke(keyid, told, clock)
    assert keyring.ring(told).keys[0].revoked_at is not None
    for verb in (keyring.revoke, keyring.retire):
        with pytest.raises(UsageError):
            verb("0" * 64, told, clock)


def test_without_a_base_the_ring_is_empty(tmp_path: Path) -> None:
    assert keyring.ring(variables(tmp_path / "home")).keys == ()
