"""Keys: who may sign, from when until when, and the rules by which a signature counts.

A base keeps one private key and a ring, ``keys.json``, of public keys. A retired key still verifies what it signed
before; a revoked key verifies nothing. The time of signing is what the signed document says of itself: whoever holds
a stolen key can write an earlier time, therefore a key that may have been stolen is revoked, never retired.

Sources  RFC 8032 (Ed25519), RFC 8410 (its SubjectPublicKeyInfo and PKCS#8). FORMATS section 7.
Formats  keyid = SHA-256 of the DER SubjectPublicKeyInfo, 64 lower-case hexadecimal digits.
Errors   InputError for a ring or key that cannot be read, UsageError for a step that the rules do not allow.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pilotbase.evidence.reading import check_fields, read_object
from pilotbase.foundation.clock import read_stamp, stamp
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import InputError, Place, UsageError
from pilotbase.foundation.text import Text, printable

SCHEMA = "pilotbase/keys/1"
ED25519 = "ed25519"
RING_LIMIT = 1 << 20  # bytes; a key takes about 400

Standing = Literal["trusted", "retired_after", "retired", "revoked", "not_yet_valid", "unknown"]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that can sign. It is never printed, and never stored but by ``to_pem``."""

    _private: Ed25519PrivateKey

    def __repr__(self) -> str:
        """Show whose key this is, and nothing of the key."""
        return f"SigningKey({self.keyid})"

    @property
    def algorithm(self) -> str:
        """The algorithm's name in envelopes and rings."""
        return ED25519

    @property
    def public(self) -> bytes:
        """The DER SubjectPublicKeyInfo."""
        return self._private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def keyid(self) -> str:
        """The digest of ``public``."""
        return sha256(self.public)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of exactly these bytes."""
        return self._private.sign(message)

    def to_pem(self) -> bytes:
        """Return the private key as PKCS#8 PEM: only ever for a file with mode 0600."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def new_signing_key() -> SigningKey:
    """Return a fresh Ed25519 key from the operating system's randomness."""
    return SigningKey(Ed25519PrivateKey.generate())


def read_signing_key(pem: bytes, file: str) -> SigningKey:
    """Read what ``to_pem`` wrote. Raises InputError naming the file, and never shows its content."""
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(_NOT_A_KEY, place=Place(file=file), remedy=_NEW_KEY) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise InputError(_NOT_A_KEY, place=Place(file=file), found=type(private).__name__, remedy=_NEW_KEY)
    return SigningKey(private)


_NOT_A_KEY = Text(
    zh="文件不是未加密的 Ed25519 私钥（PKCS#8 PEM）",
    en="the file is not an unencrypted Ed25519 private key (PKCS#8 PEM)",
)
_NEW_KEY = Text(
    zh="请从备份恢复；若无备份，先移走该文件，再运行 pilotbase keys init",
    en="restore it from a backup; without one, move the file away, then run pilotbase keys init",
)


def _ed25519_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    key = serialization.load_der_public_key(public)
    if not isinstance(key, Ed25519PublicKey):
        return False
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


# name -> (DER public key, message, signature) -> does it hold. SM2 (GM/T 0003) joins here.
ALGORITHMS: dict[str, Callable[[bytes, bytes, bytes], bool]] = {ED25519: _ed25519_holds}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """One public key of a ring."""

    keyid: str
    algorithm: str  # a key of ALGORITHMS, or one that a later release knows
    public: bytes  # DER SubjectPublicKeyInfo
    owner: str  # the institution, never a person
    valid_from: datetime
    retired_at: datetime | None = None
    revoked_at: datetime | None = None

    def standing(self, at: datetime) -> Standing:
        """Say what a signature made at this time is worth. FORMATS section 7."""
        if self.revoked_at is not None:
            return "revoked"
        if at < self.valid_from:
            return "not_yet_valid"
        if self.retired_at is None:
            return "trusted"
        return "retired_after" if at < self.retired_at else "retired"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Public keys that someone trusts."""

    keys: tuple[ListedKey, ...] = ()

    def find(self, keyid: str) -> ListedKey | None:
        """Return the key with this id, None if it is not on the ring."""
        return next((key for key in self.keys if key.keyid == keyid), None)

    def to_bytes(self) -> bytes:
        """Return ``keys.json``: JSON with line breaks, for people read it too."""
        tree = {"schema": SCHEMA, "keys": [_listed_tree(key) for key in self.keys]}
        return f"{json.dumps(tree, ensure_ascii=False, indent=2)}\n".encode()


def init(ring: KeyRing, owner: str, at: datetime) -> tuple[KeyRing, SigningKey]:
    """Return the ring with one new key, and that key. Raises UsageError when the owner is not a plain short name."""
    key = new_signing_key()
    return enlist(ring, key, owner, at), key


def enlist(ring: KeyRing, key: SigningKey, owner: str, at: datetime) -> KeyRing:
    """Return the ring with a key of one's own put on it; the same ring if it is there already."""
    if ring.find(key.keyid) is not None:
        return ring
    if not _is_owner(owner):
        raise UsageError(_BAD_OWNER, found=printable(owner))
    listed = ListedKey(keyid=key.keyid, algorithm=key.algorithm, public=key.public, owner=owner, valid_from=at)
    return KeyRing((*ring.keys, listed))


def retire(ring: KeyRing, keyid: str, at: datetime) -> KeyRing:
    """Return the ring with a key that signs no more from now on. Raises UsageError if it is not in force now."""
    key = _known(ring, keyid)
    standing = key.standing(at)
    if key.retired_at is not None or standing != "trusted":
        raise UsageError(
            Text(zh="此密钥现在并未生效，无法停用", en="this key is not in force now, so it cannot be retired"),
            found=f"{keyid}: {standing}",
        )
    return _replaced(ring, replace(key, retired_at=at))


def revoke(ring: KeyRing, keyid: str, at: datetime) -> KeyRing:
    """Return the ring with a key that verifies nothing, ever. Raises UsageError if it is revoked already."""
    key = _known(ring, keyid)
    if key.revoked_at is not None:
        raise UsageError(Text(zh="此密钥已被吊销", en="this key is revoked already"), found=keyid)
    return _replaced(ring, replace(key, revoked_at=at))


def _known(ring: KeyRing, keyid: str) -> ListedKey:
    key = ring.find(keyid)
    if key is None:
        raise UsageError(
            Text(zh="密钥清单中没有此密钥", en="no such key on the ring"),
            found=printable(keyid),
            remedy=Text(
                zh="请用 pilotbase keys list 查看密钥标识", en="see the ids of the keys with pilotbase keys list"
            ),
        )
    return key


def _replaced(ring: KeyRing, key: ListedKey) -> KeyRing:
    return KeyRing(tuple(key if old.keyid == key.keyid else old for old in ring.keys))


def read_ring(data: bytes, file: str) -> KeyRing:
    """Read ``keys.json`` or a ``--trust`` file. Raises InputError naming file and field."""
    tree = read_object(data, limit=RING_LIMIT, place=Place(file=file))
    if tree.get("schema") != SCHEMA:
        raise InputError(
            Text(zh="不是此版本能读的密钥清单", en="not a ring of keys that this release can read"),
            place=Place(file=file, field="schema"),
            found=printable(repr(tree.get("schema"))),
            expected=Text(zh="{schema}", en="{schema}").fill(schema=SCHEMA),
        )
    rows = cast("list[object]", check_fields(tree, {"schema": str, "keys": list}, Place(file=file))["keys"])
    keys = tuple(_read_listed(row, Place(file=file, field=f"keys[{index}]")) for index, row in enumerate(rows))
    if len({key.keyid for key in keys}) != len(keys):
        raise InputError(
            Text(zh="同一密钥列了两次", en="one key is listed twice"), place=Place(file=file, field="keys")
        )
    return KeyRing(keys)


def _listed_tree(key: ListedKey) -> dict[str, str | None]:
    return {
        "keyid": key.keyid,
        "algorithm": key.algorithm,
        "public": base64.b64encode(key.public).decode("ascii"),
        "owner": key.owner,
        "valid_from": stamp(key.valid_from),
        "retired_at": stamp(key.retired_at) if key.retired_at else None,
        "revoked_at": stamp(key.revoked_at) if key.revoked_at else None,
    }


_MAYBE = (str, type(None))
_FIELDS = {
    "keyid": str, "algorithm": str, "public": str, "owner": str,
    "valid_from": str, "retired_at": _MAYBE, "revoked_at": _MAYBE,
}  # fmt: skip


def _read_listed(row: object, place: Place) -> ListedKey:
    fields = check_fields(row, _FIELDS, place)
    algorithm = str(fields["algorithm"])
    if not _ALGORITHM.fullmatch(algorithm):
        raise InputError(_BAD_ALGORITHM, place=_inside(place, "algorithm"), found=printable(algorithm))
    public = _read_public(str(fields["public"]), algorithm, _inside(place, "public"))
    if sha256(public) != fields["keyid"]:
        raise InputError(
            Text(zh="密钥标识与公钥不符", en="the keyid is not that of the public key"),
            place=_inside(place, "keyid"),
            found=printable(str(fields["keyid"])),
            expected=Text(zh="{keyid}", en="{keyid}").fill(keyid=sha256(public)),
        )
    if not _is_owner(str(fields["owner"])):
        raise InputError(_BAD_OWNER, place=_inside(place, "owner"), found=printable(str(fields["owner"])))
    valid_from = _read_time(fields["valid_from"], _inside(place, "valid_from"))
    if valid_from is None:
        raise InputError(_BAD_TIME, place=_inside(place, "valid_from"))
    return ListedKey(
        keyid=sha256(public),
        algorithm=algorithm,
        public=public,
        owner=str(fields["owner"]),
        valid_from=valid_from,
        retired_at=_read_time(fields["retired_at"], _inside(place, "retired_at")),
        revoked_at=_read_time(fields["revoked_at"], _inside(place, "revoked_at")),
    )


_ALGORITHM = re.compile(r"[a-z0-9-]{1,40}")
_BAD_ALGORITHM = Text(
    zh="算法名由小写字母、数字和连字符组成", en="an algorithm's name is made of lower-case letters, digits and hyphens"
)


def _read_public(text: str, algorithm: str, place: Place) -> bytes:
    """Read a public key; of an algorithm that a later release knows, only its bytes can be checked."""
    try:
        public = base64.b64decode(text, validate=True)
        if base64.b64encode(public).decode("ascii") != text:
            raise ValueError("padding bits")  # noqa: TRY301 - one refusal for all that is no key
        key = serialization.load_der_public_key(public) if algorithm == ED25519 else None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(_NOT_PUBLIC, place=place, found=printable(text, 80)) from error
    if key is not None and not isinstance(key, Ed25519PublicKey):
        raise InputError(_NOT_PUBLIC, place=place, found=printable(text, 80))
    return public


_NOT_PUBLIC = Text(
    zh="不是该算法的公钥（base64 编码的 SubjectPublicKeyInfo）",
    en="not a public key of that algorithm (SubjectPublicKeyInfo in base64)",
)


def _read_time(text: object, place: Place) -> datetime | None:
    if text is None:
        return None
    try:
        return read_stamp(str(text))
    except InputError as error:
        raise InputError(_BAD_TIME, place=place, found=error.found) from error


_BAD_TIME = Text(zh="时间须写作 2026-11-23T08:15:00.000000Z", en="a time is written as 2026-11-23T08:15:00.000000Z")


def _is_owner(owner: str) -> bool:
    return 0 < len(owner) <= 200 and owner.isprintable() and owner == owner.strip()  # noqa: PLR2004 - a name's length


_BAD_OWNER = Text(
    zh="所有者须是不超过 200 字、无控制字符的机构名称",
    en="the owner must be the name of an institution: 1 to 200 printable characters",
)


def _inside(place: Place, field: str) -> Place:
    return Place(file=place.file, field=f"{place.field}.{field}")
