"""Writes the bad archives and pickles beside it: ``python make_bad.py``.

They are kept as files, so that what was refused once stays refused. None does harm: the pickles would say a word.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import stat
import tarfile
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np

BAD = Path(__file__).parent / "bad"
WHEN = (2026, 1, 1, 0, 0, 0)
FILE = stat.S_IFREG | 0o644
CARD = b'schema = "pilotbase/candidate/1"\n'


def zipped(*members: tuple[str, bytes, int]) -> bytes:
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name that comes twice is what we are after
        for path, data, mode in members:
            info = zipfile.ZipInfo(path, WHEN)
            info.external_attr = mode << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return plain.getvalue()


def encrypted(data: bytes) -> bytes:
    """Set the flag of encryption in every header of a zip file."""
    changed = bytearray(data)
    for magic, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := data.find(magic, place + 1)) >= 0:
            changed[place + flag] |= 1
    return bytes(changed)


def zips() -> dict[str, bytes]:
    card = ("candidate.toml", CARD, FILE)
    twins = zipped(card, ("Model.txt", b"x", FILE), ("model.txt", b"y", FILE))
    damaged = bytearray(zipped(("candidate.toml", os.urandom(0) + CARD * 50, FILE)))
    damaged[60] ^= 0xFF
    return {
        "zip-absolute.zip": zipped(card, ("/etc/evil", b"x", FILE)),
        "zip-backslash.zip": zipped(card, ("..\\evil", b"x", FILE)),
        "zip-case-twins.zip": twins,
        "zip-damaged.zip": bytes(damaged),
        "zip-device.zip": zipped(card, ("null", b"", stat.S_IFCHR | 0o644)),
        "zip-dotted.zip": zipped(card, ("a/../../evil", b"x", FILE)),
        "zip-drive.zip": zipped(card, ("C:evil", b"x", FILE)),
        "zip-encrypted.zip": encrypted(zipped(card)),
        "zip-file-under-file.zip": zipped(card, ("a", b"x", FILE), ("a/b", b"y", FILE)),
        "zip-folder-twins.zip": zipped(card, ("a/x", b"x", FILE), ("A/y", b"y", FILE)),
        "zip-link.zip": zipped(card, ("model.txt", b"/etc/passwd", stat.S_IFLNK | 0o777)),
        "zip-long-name.zip": zipped(card, ("n" * 300, b"x", FILE)),
        "zip-not-one.zip": b"this is no archive",
        "zip-truncated.zip": twins[:-30],
        "zip-twice.zip": zipped(card, card),
        "zip-unprintable.zip": zipped(card, ("a\x1b[2Jb", b"x", FILE)),
    }


def tarred(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=0)


def member(path: str, kind: bytes = tarfile.REGTYPE, link: str = "", **headers: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.linkname, info.pax_headers = kind, link, headers
    return info


def tars() -> dict[str, bytes]:
    card = (member("candidate.toml"), CARD)
    many = tarred(card, *((member(f"{number}.txt"), str(number).encode() * 99) for number in range(50)))
    return {
        "tar-absolute.tar.gz": tarred(card, (member("/etc/evil"), b"x")),
        "tar-case-twins.tar.gz": tarred(card, (member("Model.txt"), b"x"), (member("model.txt"), b"y")),
        "tar-device.tar.gz": tarred(card, (member("null", tarfile.CHRTYPE), b"")),
        "tar-dotted.tar.gz": tarred(card, (member("../evil"), b"x")),
        "tar-hard-link.tar.gz": tarred(card, (member("model.txt", tarfile.LNKTYPE, "candidate.toml"), b"")),
        "tar-large-header.tar.gz": tarred(card, (member("model.txt", comment="x" * (8 << 20)), b"x")),
        "tar-link.tar.gz": tarred(card, (member("model.txt", tarfile.SYMTYPE, "/etc/passwd"), b"")),
        "tar-pipe.tar.gz": tarred(card, (member("pipe", tarfile.FIFOTYPE), b"")),
        "tar-truncated.tgz": many[: len(many) // 2],
        "tar-twice.tar.gz": tarred(card, card),
    }


class Call:
    """Pickles into a call."""

    def __init__(self, function, *arguments) -> None:
        self.what = (function, arguments)

    def __reduce__(self):
        return self.what


def text(word: str) -> bytes:
    """Return the opcode that pushes a short string."""
    return b"\x8c" + bytes([len(word)]) + word.encode()


def pickles() -> dict[str, bytes]:
    system = Call(os.system, "echo pilotbase")
    evil = pickle.dumps(system, 4)
    array = np.array([system, None], dtype=object)
    npy, npz = io.BytesIO(), io.BytesIO()
    np.save(npy, array, allow_pickle=True)
    np.savez(npz, weights=np.zeros(3), evil=array)
    honest = pickle.dumps({"weights": [1.0, 2.0]}, 4)
    deep = evil
    for level in range(7):
        deep = zipped((f"level-{level}", deep, FILE))
    # "os" and "system" are memoised, popped, and fetched again for the look-up
    memo = b"\x80\x04" + text("os") + b"\x940" + text("system") + b"\x940h\x00h\x01\x93" + text("echo") + b"\x85R."
    # the module's name is put together by a call, so that no reader knows it
    hidden = (
        b"\x80\x04" + b"cbuiltins\nstr\n" + text("os") + b"\x85R" + text("system") + b"\x93" + text("echo") + b"\x85R."
    )
    # raw bytes of an array stand in the midst of the stream, as in joblib's files
    behind = b"\x80\x04}" + text("weights") + b"\xff" * 64 + text("os") + b"\x94" + text("system") + b"\x94\x93."
    return {
        "pickle-behind-array.joblib": behind,
        "pickle-behind-array-old.joblib": b"\x80\x02}\xff\xff\xffcos\nsystem\n.",
        "pickle-broken-off.pkl": evil[:-1],
        "pickle-bz2.joblib": bz2.compress(evil),
        "pickle-extension.pkl": b"\x80\x02\x82\x01.",
        "pickle-gzip.joblib": gzip.compress(honest, mtime=0) + gzip.compress(evil, mtime=0),
        "pickle-hidden-name.pkl": hidden,
        "pickle-inst.pkl": b"(S'echo'\nios\nsystem\n.",
        "pickle-lzma.joblib": lzma.compress(evil),
        "pickle-memo.pkl": memo,
        "pickle-object-array.npy": npy.getvalue(),
        "pickle-object-array.npz": npz.getvalue(),
        "pickle-protocol-0.txt": pickle.dumps(system, 0),
        "pickle-protocol-2.pkl": pickle.dumps(Call(eval, "1"), 2),
        "pickle-script-and-zip.sh": b"#!/bin/sh\nexit 0\n" + zipped(("model.pkl", evil, FILE)),
        "pickle-second.pkl": honest + evil,
        "pickle-too-deep.zip": deep,
        "pickle-zip-in-zip.zip": zipped(("inner.zip", zipped(("model.pkl", evil, FILE)), FILE)),
        "pickle-zlib.joblib": zlib.compress(evil),
    }


if __name__ == "__main__":
    for name, data in (zips() | tars() | pickles()).items():
        (BAD / name).write_bytes(data)
