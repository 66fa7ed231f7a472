"""The base's keys: made once, listed, handed out, retired, revoked. FORMATS section 7."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pilotbase.evidence import keys
from pilotbase.evidence.keyfiles import SECRET_SIZE, load_ring, save_ring, write_private
from pilotbase.evidence.keys import KeyRing
from pilotbase.foundation.clock import Clock, system_clock
from pilotbase.foundation.errors import UsageError
from pilotbase.foundation.text import Text
from pilotbase.store.home import home


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A new key."""

    keyid: str
    ring: Path
    """File of public keys."""


def init(owner: str, environment: Mapping[str, str] = os.environ, clock: Clock = system_clock) -> Made:
    """Make the signing key and, apart from it, the base secret. Raises UsageError if this base has a key already."""
    place = home(environment)
    place.prepare()
    if place.signing_key.exists():
        raise UsageError(
            Text(zh="这个基地已有签名密钥", en="this base has a signing key already"),
            found=str(place.signing_key),
            remedy=Text(
                zh="无需重复生成；pilotbase keys list 可查看", en="none is needed; pilotbase keys list shows it"
            ),
        )
    ring, key = keys.init(_ring(place.ring), owner, clock())
    if not place.secret.exists():
        write_private(place.secret, secrets.token_bytes(SECRET_SIZE))
    save_ring(place.ring, ring)
    write_private(place.signing_key, key.to_pem())  # last: a base with a signing key has all the rest
    return Made(keyid=key.keyid, ring=place.ring)


def _ring(path: Path) -> KeyRing:
    return load_ring(path) if path.is_file() else KeyRing()


def ring(environment: Mapping[str, str] = os.environ) -> KeyRing:
    """Return the public keys that this base trusts."""
    return _ring(home(environment).ring)


def export(out: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Write the public keys to a file."""
    save_ring(out, ring(environment))


def retire(keyid: str, environment: Mapping[str, str] = os.environ, clock: Clock = system_clock) -> None:
    """Retire a key. Raises UsageError if it is not in force."""
    save_ring(home(environment).ring, keys.retire(ring(environment), keyid, clock()))


def revoke(keyid: str, environment: Mapping[str, str] = os.environ, clock: Clock = system_clock) -> None:
    """Revoke a key. Raises UsageError if it is revoked already."""
    save_ring(home(environment).ring, keys.revoke(ring(environment), keyid, clock()))
