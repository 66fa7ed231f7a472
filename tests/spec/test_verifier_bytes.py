"""Bytes as the second verifier reads and writes them, against texts of others: RFC 8785, 6962, 8032, 8410 and DSSE."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from second_verifier import V

# ---- Canonical JSON


def test_the_strings_of_rfc_8785() -> None:
    # section 3.2.2: the string example, and its serialisation
    given = '{"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"}'
    expected = '{"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert V.canonical(V.parse(given.encode())) == expected.encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [True, False, None], "A": {}}, '{"A":{},"a":[true,false,null],"b":1}'),
        ({"": "\b\t\n\f\r\x00\x1f\x7f"}, '{"":"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f"}'),
        ({"zh": "试点</script>"}, '{"zh":"试点</script>"}'),
        ([-0, 2**53 - 1, -(2**53) + 1], "[0,9007199254740991,-9007199254740991]"),
        ("\u2028\U0001f600", '"\u2028\U0001f600"'),
    ],
)
def test_canonical_bytes(value: Any, expected: str) -> None:
    assert V.canonical(value) == expected.encode()
    assert V.parse_canonical(expected.encode()) == value


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a":{"b":1,"b":2}}', "twice"),
        (b"1.0", "float"),
        (b"1e3", "float"),
        (b"NaN", "float"),
        (b"-Infinity", "float"),
        (b"9007199254740992", "beyond"),
        (b"1" * 5000, "beyond"),
        ('{"é":1}'.encode(), "ASCII"),
        (b'"\\ud800"', "surrogate"),
        (b"\xff\xfe1", "UTF-8"),
        (b"\xef\xbb\xbf{}", "JSON"),
        (b"", "JSON"),
        (b"{}x", "JSON"),
        (b"[" * 100_000, "deeply"),
        (b'{"a":' * 100_000, "deeply"),
        (b'{"a": 1}', "canonical"),
        (b'{"b":1,"a":1}', "canonical"),
        (b'"\\u0041"', "canonical"),
        (b'"\\/"', "canonical"),
        (b"-0", "canonical"),
        (b"{}\n", "canonical"),
        (b'"\\u001F"', "canonical"),
    ],
)
def test_what_is_not_canonical_is_refused_in_words(raw: bytes, why: str) -> None:
    with pytest.raises(V.FaultError, match=why):
        V.parse_canonical(raw)


# ---- Digests

INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
# Roots over the first 1 .. 8 of these inputs, as published with the reference implementation of RFC 6962.
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


@pytest.mark.parametrize("size", range(1, 9))
def test_merkle_roots_of_the_published_inputs(size: int) -> None:
    assert V.merkle_root(INPUTS[:size]).hex() == ROOTS[size - 1]


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    split = max(2**i for i in range(20) if 2**i < len(leaves))
    if index < split:
        return [*_path(index, leaves[:split]), V.merkle_root(leaves[split:])]
    return [*_path(index - split, leaves[split:]), V.merkle_root(leaves[:split])]


def test_inclusion_holds_for_every_leaf_of_every_small_tree_and_for_nothing_else() -> None:
    for size in range(1, 20):
        leaves = [bytes([number]) for number in range(size)]
        root = V.merkle_root(leaves)
        for index in range(size):
            path = _path(index, leaves)
            assert V.included(leaves[index], index, size, path, root)
            assert not V.included(b"other", index, size, path, root)
            assert not V.included(leaves[index], index, size, [*path, root], root)
            assert not V.included(leaves[index], size, size, path, root)
            if path:
                assert not V.included(leaves[index], index, size, path[:-1], root)
                assert not V.included(leaves[index], index ^ 1, size, path, root)


def test_keyed_is_hmac_over_lengths_and_parts() -> None:
    message = b"\x04\0\0\0\0\0\0\0leaf" + b"\x02\0\0\0\0\0\0\x0012"
    assert V.keyed(b"K", b"leaf", b"12") == hmac.digest(b"K", message, "sha256")
    assert V.keyed(b"K", b"lea", b"f12") != V.keyed(b"K", b"leaf", b"12")


# ---- Envelopes and keys

# RFC 8032 section 7.1, test 2: a one-byte message
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SPKI = bytes.fromhex("302a300506032b6570032100") + PUBLIC
KEYID = hashlib.sha256(SPKI).hexdigest()
TIME = "2026-01-02T03:04:05.000006Z"


def entry(**changed: object) -> dict[str, object]:
    usual = {
        "algorithm": "ed25519",
        "keyid": KEYID,
        "owner": "base",
        "public": base64.b64encode(SPKI).decode(),
        "valid_from": TIME,
        "retired_at": None,
        "revoked_at": None,
    }
    return usual | changed


def keys_file(*entries: dict[str, object]) -> bytes:
    return json.dumps({"schema": "pilotbase/keys/1", "keys": list(entries)}).encode()


def test_the_key_and_signature_of_rfc_8032() -> None:
    key = V.read_keys(keys_file(entry()))[KEYID]
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    key.public.verify(signature, b"\x72")


@pytest.mark.parametrize(
    "raw",
    [
        keys_file(entry(keyid="0" * 64)),
        keys_file(entry(public=base64.b64encode(PUBLIC).decode())),
        keys_file(entry(algorithm="rsa")),
        keys_file(entry(), entry()),
        keys_file(entry(valid_from="2026-01-02")),
        keys_file(entry(note="x")),
        keys_file(entry()).replace(b"keys/1", b"keys/2"),
        b"[]",
    ],
)
def test_a_file_of_keys_is_read_strictly(raw: bytes) -> None:
    with pytest.raises(V.FaultError):
        V.read_keys(raw)


def at(text: str) -> datetime:
    return V.moment(text)


def test_a_retired_key_verifies_what_it_signed_before_a_revoked_one_nothing() -> None:
    retired = V.read_keys(keys_file(entry(retired_at="2026-06-01T00:00:00.000000Z")))[KEYID]
    assert retired.complaint(at(TIME)) is None
    assert retired.complaint(at("2026-05-31T23:59:59.999999Z")) is None
    assert "retired" in retired.complaint(at("2026-06-01T00:00:00.000000Z"))
    assert "not yet valid" in retired.complaint(at("2026-01-02T03:04:05.000005Z"))
    revoked = V.read_keys(keys_file(entry(revoked_at="2099-01-01T00:00:00.000000Z")))[KEYID]
    assert "revoked" in revoked.complaint(at(TIME))


def test_the_pre_authentication_encoding_of_the_dsse_text() -> None:
    envelope = V.Envelope(b"hello world", "http://example.com/HelloWorld", ())
    assert envelope.signed() == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert V.Envelope("é".encode(), "ü", ()).signed() == b"DSSEv1 2 \xc3\xbc 2 \xc3\xa9"


def envelope(**changed: object) -> dict[str, object]:
    signature = {"alg": "ed25519", "keyid": KEYID, "sig": base64.b64encode(b"x" * 64).decode()}
    return {"payload": "e30=", "payloadType": "t", "signatures": [signature]} | changed


def test_an_envelope_must_equal_its_canonical_re_encoding() -> None:
    good = json.dumps(envelope(), separators=(",", ":"), sort_keys=True).encode()
    assert V.read_envelope(good, "t").body == b"{}"
    for bad in (
        good.replace(b"e30=", b"e31="),  # a changed padding bit decodes alike
        good.replace(b"e30=", b"e30"),
        good.replace(b"e30=", b"e3-="),
        good.replace(b"e30=", b"e30\\n="),
        good + b"\n",
        json.dumps(envelope(), sort_keys=True).encode(),
        good.replace(b'"alg"', b'"ALG"'),
        good.replace(b'"payload":', b'"extra":1,"payload":'),
    ):
        with pytest.raises(V.FaultError):
            V.read_envelope(bad, "t")
    with pytest.raises(V.FaultError, match="payload type"):
        V.read_envelope(good, "u")


# ---- Times, quantities, decimal text


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00.000000Z",
        "2026-01-01T00:00:60.000000Z",
        "2026-01-01T00:00:00Z",
        "0000-01-01T00:00:00.000000Z",
    ],
)
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(V.FaultError):
        V.moment(text)


def test_validity_is_added_by_the_calendar_of_seconds() -> None:
    start = datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=UTC)
    assert V.stamp(V.later(start, "365 day")) == "2027-01-01T12:00:00.000005Z"
    assert V.stamp(V.later(start, "1.5 h")) == "2026-01-01T13:30:00.000005Z"
    assert V.stamp(V.later(start, "250 ms")) == "2026-01-01T12:00:00.250005Z"
    for quantity in ("1 fortnight", "999999999999999 day", "9 d", "9 days", "9 DAY"):
        with pytest.raises(V.FaultError):
            V.later(start, quantity)


@pytest.mark.parametrize("text", ["", ".5", "1.", "NaN", "inf", "1e9999", "0x1", "1_0", "١", " 1", "1\n", "1" * 41])
def test_text_that_is_no_decimal(text: str) -> None:
    with pytest.raises(V.FaultError):
        V.decimal(text)


def test_decimal_text_is_exact() -> None:
    assert V.decimal("0.1") + V.decimal("0.2") == V.decimal("0.3") == Fraction(3, 10)
    with pytest.raises(V.FaultError):
        V.double(V.decimal("1e999"))


# ---- The event chain


def chain(*kinds_and_bodies: tuple[str, dict[str, object]], **changed: object) -> bytes:
    raw, previous = b"", "0" * 64
    for seq, (kind, body) in enumerate(kinds_and_bodies, start=1):
        event = {"schema": "pilotbase/event/1", "pilot": "p", "seq": seq, "at": TIME, "kind": kind, "body": body}
        line = json.dumps(event | {"previous": previous} | changed, separators=(",", ":"), sort_keys=True).encode()
        previous = hashlib.sha256(line).hexdigest()
        raw += line + b"\n"
    return raw


STARTED = ("stage.started", {"stage": "intake"})


def test_a_chain_links_and_its_head_is_the_digest_of_the_last_line() -> None:
    raw = chain(STARTED, ("run.resumed", {"stage": "intake", "kept": "0" * 64}))
    ledger = V.read_ledger(raw)
    assert ledger.head == hashlib.sha256(raw.split(b"\n")[1]).hexdigest()
    assert ledger.bodies("stage.started") == [{"stage": "intake"}]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        chain(STARTED)[:-1],
        chain(STARTED) + b"\n",
        chain(STARTED, seq=2),
        chain(STARTED, previous="1" * 64),
        chain(STARTED, at="yesterday"),
        chain(STARTED, extra=1),
        chain(("stage.started", {"stage": "intake", "name": "x"})),
        chain(("stage.begun", {})),
        b"\n".join(reversed(chain(STARTED, STARTED).split(b"\n")[:2])) + b"\n",
        chain(STARTED).replace(b",", b", "),
    ],
)
def test_a_chain_that_does_not_hold(raw: bytes) -> None:
    with pytest.raises(V.FaultError):
        V.read_ledger(raw)


# ---- Records


def test_the_leaf_of_a_block_by_hand() -> None:
    rows = 1_025
    unit, status = bytes(range(16)) * rows, bytes(rows)
    score = struct.pack(f"<{rows}d", *range(rows))
    header, salt = b'{"header":1}', b"s" * 32
    columns = tuple(
        V.Column(name, dtype, timed=False, data=data)
        for name, dtype, data in (("unit", "|V16", unit), ("status", "|u1", status), ("score", "<f8", score))
    )
    records = V.Records("effectiveness", rows, header, columns)

    def leaf(block: int, first: int, end: int) -> bytes:
        number = str(block).encode()
        tag = hmac.digest(salt, struct.pack("<Q", 4) + b"leaf" + struct.pack("<Q", len(number)) + number, "sha256")
        data = tag + header + unit[16 * first : 16 * end] + status[first:end] + score[8 * first : 8 * end]
        return hashlib.sha256(b"\0" + data).digest()

    expected = hashlib.sha256(b"\1" + leaf(0, 0, 1024) + leaf(1, 1024, 1025)).hexdigest()
    assert records.root(salt) == expected
    assert records.column("score").values()[-1] == 1024.0
    with pytest.raises(V.FaultError, match="no column"):
        records.column("right")


def test_no_rows_are_one_empty_block() -> None:
    records = V.Records("efficiency", 0, b"h", ())
    tag = hmac.digest(b"k", struct.pack("<Q", 4) + b"leaf" + struct.pack("<Q", 1) + b"0", "sha256")
    assert records.root(b"k") == hashlib.sha256(b"\0" + tag + b"h").hexdigest()
