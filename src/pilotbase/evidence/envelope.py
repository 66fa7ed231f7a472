"""The envelope: bytes, the kind of document they are, and who signed both.

DSSE, the Dead Simple Signing Envelope, version 1, with two rules of our own (FORMATS section 6):

1. Each signature names its algorithm, ``"alg": "ed25519"``, so that SM2 can stand beside it.
2. The stored bytes must equal their own canonical re-encoding, with signatures sorted by keyid. Otherwise a changed
   padding bit of base64, a blank or a second key would leave the envelope valid with another digest.

Source  DSSE protocol 1.0.2 (pre-authentication encoding), RFC 4648 section 4 (base64).
Errors  InputError when the bytes are not an envelope. A signature that does not hold is an answer, not an error.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from pilotbase.evidence.keys import ALGORITHMS, KeyRing, ListedKey, SigningKey, Standing
from pilotbase.evidence.reading import NOT_CANONICAL, check_fields, read_canonical
from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import FaultError, InputError, Place
from pilotbase.foundation.text import Text, printable

LIMIT: Final = 8 << 20  # bytes; a plan or statement takes some kB: bounds what a forged file can cost its reader
MOST_SIGNATURES: Final = 16  # base, applicant, data owner, witnesses
_NAME_LIMIT = 200  # characters of a payload type, keyid or algorithm
_SIGNATURE_LIMIT = 1024  # bytes; Ed25519 and SM2 take 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What one key says of the body."""

    keyid: str  # a hint only: the key is the one that the reader trusts under this id
    algorithm: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A signed document. That it could be opened says nothing yet: ``check`` does."""

    payload_type: str  # media type, for example ``application/vnd.in-toto+json``
    body: bytes
    signatures: tuple[Signature, ...]  # at least one, sorted by keyid

    def to_bytes(self) -> bytes:
        """Return the only form in which this envelope may be stored."""
        return canonical_bytes({
            "payloadType": self.payload_type,
            "payload": _b64(self.body),
            "signatures": [
                {"keyid": one.keyid, "alg": one.algorithm, "sig": _b64(one.value)} for one in self.signatures
            ],
        })  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerResult:
    """What one signature is worth to a reader with this trust."""

    keyid: str
    owner: str  # as the reader's ring names it, "" when the key is unknown
    valid: bool | None  # None: an unknown key, so nothing could be checked
    standing: Standing
    words: Text

    @property
    def counts(self) -> bool:
        """Whether the reader may rely on the body by this signature alone."""
        return self.valid is True and self.standing in {"trusted", "retired_after"}


def pae(payload_type: str, body: bytes) -> bytes:
    """Return the bytes that are signed: DSSE's pre-authentication encoding. Lengths are bytes, in decimal."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def sign(payload_type: str, body: bytes, keys: Sequence[SigningKey]) -> bytes:
    """Return the envelope's bytes, signed by every key. Raises FaultError without keys, or for one given twice."""
    if not keys or len({key.keyid for key in keys}) != len(keys) or len(keys) > MOST_SIGNATURES:
        raise FaultError(
            Text(zh="签名需要一至多把各不相同的密钥", en="signing needs keys, each of them once"), found=str(len(keys))
        )
    message = pae(payload_type, body)
    signatures = [Signature(keyid=key.keyid, algorithm=key.algorithm, value=key.sign(message)) for key in keys]
    signatures.sort(key=lambda one: one.keyid)
    data = Envelope(payload_type=payload_type, body=body, signatures=tuple(signatures)).to_bytes()
    open_envelope(data)  # nothing leaves that its reader would refuse
    return data


def open_envelope(data: bytes, file: str = "") -> Envelope:
    """Take an envelope's bytes apart. Raises InputError naming the field, or saying that the bytes were changed."""
    place = Place(file=file)
    tree = check_fields(
        read_canonical(data, limit=LIMIT, place=place), {"payloadType": str, "payload": str, "signatures": list}, place
    )
    rows = cast("list[object]", tree["signatures"])
    if not 0 < len(rows) <= MOST_SIGNATURES:
        raise InputError(
            Text(zh="签名的数目不对", en="the number of signatures is not right"),
            place=Place(file=file, field="signatures"),
            found=str(len(rows)),
            expected=Text(zh="1 至 {most}", en="1 to {most}").fill(most=MOST_SIGNATURES),
        )
    signatures = tuple(
        _read_signature(row, Place(file=file, field=f"signatures[{index}]")) for index, row in enumerate(rows)
    )
    keyids = [one.keyid for one in signatures]
    if keyids != sorted(set(keyids)):
        raise InputError(
            Text(zh="签名须按密钥标识排序，且每把密钥仅一次", en="signatures must be sorted by keyid, each key once"),
            place=Place(file=file, field="signatures"),
        )
    envelope = Envelope(
        payload_type=_read_name(tree["payloadType"], Place(file=file, field="payloadType")),
        body=_unb64(tree["payload"], Place(file=file, field="payload")),
        signatures=signatures,
    )
    if envelope.to_bytes() != data:
        raise InputError(NOT_CANONICAL, place=place)
    return envelope


def check(envelope: Envelope, trust: KeyRing, at: datetime) -> list[SignerResult]:
    """Check every signature against the keys that the reader trusts.

    Args:
        envelope: what ``open_envelope`` returned.
        trust: the reader's own ring; nothing inside the envelope adds to it.
        at: time of signing, as the caller read it in this very body; it is only as good as the signature.

    Returns:
        one result for each signature, in the envelope's order. A caller relies on the body only if one ``counts``.

    """
    message = pae(envelope.payload_type, envelope.body)
    return [_result(one, trust.find(one.keyid), message, at) for one in envelope.signatures]


def _result(one: Signature, key: ListedKey | None, message: bytes, at: datetime) -> SignerResult:
    standing = key.standing(at) if key else "unknown"
    owner = key.owner if key else ""
    if one.algorithm not in ALGORITHMS:
        valid, words = False, _UNKNOWN_ALGORITHM.fill(algorithm=printable(one.algorithm, 40))
    elif key is None:
        valid, words = None, _STANDING[standing]
    elif key.algorithm != one.algorithm:
        valid, words = False, _OTHER_ALGORITHM.fill(listed=printable(key.algorithm, 40), found=one.algorithm)
    elif not ALGORITHMS[one.algorithm](key.public, message, one.value):
        valid, words = False, _BROKEN
    else:
        valid, words = True, _STANDING[standing]
    return SignerResult(keyid=one.keyid, owner=owner, valid=valid, standing=standing, words=words)


_UNKNOWN_ALGORITHM = Text(
    zh="签名无效：此版本不认识签名算法 {algorithm}",
    en="not valid: this release does not know the signature algorithm {algorithm}",
)
_OTHER_ALGORITHM = Text(
    zh="签名无效：密钥的算法是 {listed}，签名却自称 {found}",
    en="not valid: the key is for {listed}, the signature says {found}",
)
_BROKEN = Text(zh="签名无效：内容、类型或签名被改动过", en="not valid: the body, its type or the signature was changed")
_STANDING: dict[Standing, Text] = {
    "trusted": Text(zh="签名有效，密钥受信任", en="valid, and the key is trusted"),
    "retired_after": Text(
        zh="签名有效，密钥在签名之后才停用", en="valid, and the key was retired only after it signed"
    ),
    "retired": Text(zh="不可信：签名时密钥已停用", en="not trusted: the key had been retired when it signed"),
    "revoked": Text(
        zh="不可信：密钥已被吊销，其签名一概无效", en="not trusted: the key is revoked, and verifies nothing"
    ),
    "not_yet_valid": Text(zh="不可信：签名时密钥尚未生效", en="not trusted: the key was not yet valid when it signed"),
    "unknown": Text(zh="签名者未知：信任清单中没有此密钥", en="unknown signer: the key is not on the ring of trust"),
}


_FIELDS = {"keyid": str, "alg": str, "sig": str}


def _read_signature(row: object, place: Place) -> Signature:
    fields = check_fields(row, _FIELDS, place)
    value = _unb64(fields["sig"], Place(file=place.file, field=f"{place.field}.sig"))
    if not 0 < len(value) <= _SIGNATURE_LIMIT:
        raise InputError(_BAD_SIGNATURE, place=place, found=f"{len(value)} B")
    return Signature(
        keyid=_read_name(fields["keyid"], Place(file=place.file, field=f"{place.field}.keyid")),
        algorithm=_read_name(fields["alg"], Place(file=place.file, field=f"{place.field}.alg")),
        value=value,
    )


_BAD_SIGNATURE = Text(zh="签名的长度不对", en="the signature does not have the length of one")


def _read_name(value: object, place: Place) -> str:
    name = str(value)
    if not 0 < len(name) <= _NAME_LIMIT or not name.isascii() or not name.isprintable() or " " in name:
        raise InputError(
            Text(
                zh="须是不含空格的可打印 ASCII 文本，至多 200 字", en="must be printable ASCII without blanks, 1 to 200"
            ),
            place=place,
            found=printable(name, 80),
        )
    return name


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(value: object, place: Place) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except ValueError as error:
        raise InputError(
            Text(zh="不是标准的 base64", en="not standard base64"), place=place, found=printable(str(value), 80)
        ) from error
