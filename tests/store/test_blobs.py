"""Blobs: whole or not there, checked when read, and a full disk in words."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import FaultError
from pilotbase.store.blobs import Blobs

MISSING = sha256(b"never put")


@pytest.fixture
def blobs(tmp_path):
    return Blobs(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=100))
def test_what_was_put_is_got_by_its_digest(blobs, content):
    assert blobs.put(content) == sha256(content)
    assert blobs.get(sha256(content)) == content
    assert blobs.put_stream(io.BytesIO(content)) == sha256(content)


def test_a_long_stream_is_kept_whole(blobs):
    content = os.urandom((1 << 20) * 2 + 17)
    assert blobs.get(blobs.put_stream(io.BytesIO(content))) == content


def test_a_stream_is_kept_from_where_it_stands(blobs):
    stream = io.BytesIO(b"headbody")
    stream.seek(4)
    assert blobs.get(blobs.put_stream(stream)) == b"body"


def test_a_blob_is_one_file_for_its_owner_only_and_nothing_lies_beside_it(blobs, tmp_path):
    digest = blobs.put(b"x")
    assert blobs.put(b"x") == digest
    assert [path.name for path in tmp_path.iterdir()] == [digest]
    assert stat.S_IMODE(blobs.path(digest).stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"", b"other", b"content "])
def test_a_damaged_blob_is_refused_and_mended_by_putting_it_again(blobs, damage):
    digest = blobs.put(b"content")
    blobs.path(digest).write_bytes(damage)
    with pytest.raises(FaultError, match="damaged") as caught:
        blobs.get(digest)
    assert caught.value.remedy is not None
    assert blobs.put(b"content") == digest
    assert blobs.get(digest) == b"content"


def test_a_missing_blob_is_told(blobs):
    with pytest.raises(FaultError, match="missing") as caught:
        blobs.get(MISSING)
    assert MISSING in str(caught.value.place)


@pytest.mark.parametrize("name", ["", "../x", "/etc/hostname", MISSING.upper(), MISSING + "\n", MISSING[:-1], "." * 64])
def test_only_digests_name_blobs(blobs, name):
    for use in (blobs.get, blobs.path):
        with pytest.raises(FaultError, match="not a digest"):
            use(name)


def test_a_missing_folder_is_a_fault_in_words(tmp_path):
    with pytest.raises(FaultError, match="could not be read or written"):
        Blobs(tmp_path / "no").put(b"x")


class Broken(io.RawIOBase):
    """A stream that fails in the middle."""

    def __init__(self) -> None:
        self.blocks = [b"first", b"second"]

    def read(self, _size: int = -1) -> bytes:
        if not self.blocks:
            raise OSError(5, "Input/output error")
        return self.blocks.pop(0)


def test_a_stream_that_fails_leaves_nothing(blobs, tmp_path):
    with pytest.raises(FaultError, match="nothing of this file was left"):
        blobs.put_stream(Broken())
    assert list(tmp_path.iterdir()) == []


def test_sweeping_removes_old_unfinished_files_and_nothing_else(blobs, tmp_path):
    digest = blobs.put(b"x")
    for name, age in (("old", 7200), ("new", 10)):
        part = tmp_path / f".part-{name}"
        part.write_bytes(b"half")
        moment = part.stat().st_mtime - age
        os.utime(part, (moment, moment))
    os.utime(blobs.path(digest), (0, 0))
    assert blobs.sweep(3600) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([".part-new", digest])


KILLED = """
import sys
from pathlib import Path
from pilotbase.store.blobs import Blobs
class Endless:
    def read(self, size):
        print("reading", flush=True)
        return b"x" * size
Blobs(Path(sys.argv[1])).put_stream(Endless())
"""


def test_a_kill_in_the_middle_leaves_no_blob(blobs, tmp_path, start):
    process = start(KILLED, tmp_path)
    for _ in range(3):
        assert process.stdout.readline() == "reading\n"
    process.kill()
    process.wait()
    assert [path.name[:6] for path in tmp_path.iterdir()] == [".part-"]
    assert blobs.sweep(-60) == 1
    assert list(tmp_path.iterdir()) == []


FULL = """
import json, os, subprocess, sys
from datetime import UTC, datetime
from pathlib import Path
from pilotbase.foundation.errors import FaultError
from pilotbase.store.blobs import Blobs
from pilotbase.store.database import embedded
from pilotbase.store.ledger import Ledger
folder = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], check=True)
blobs = Blobs(folder)
kept = blobs.put(b"k" * 1000)
ledger = Ledger(embedded(folder / "ledger.sqlite"))
for number in range(3):
    ledger.append("p", "step.done", {"n": number}, at=datetime.now(UTC))
told = {}
try:
    blobs.put(os.urandom(2 << 20))
except FaultError as error:
    told["blob"] = [error.what.en, error.what.zh, error.remedy.en, str(error.place)]
told["names"] = sorted(path.name for path in folder.iterdir() if not path.name.startswith("ledger"))
told["kept"] = blobs.get(kept) == b"k" * 1000 and [kept]
number = 3
try:
    while number < 500:
        ledger.append("p", "step.done", {"filler": "x" * 4000}, at=datetime.now(UTC))
        number += 1
except FaultError as error:
    told["ledger"] = [error.what.en, error.what.zh, error.remedy.en]
told["acknowledged"] = number
blobs.path(kept).unlink()
(folder / "big").unlink(missing_ok=True)
told["events"] = len(ledger.events("p"))
print(json.dumps(told))
"""
MAY_MOUNT = os.geteuid() == 0 and shutil.which("unshare") is not None and subprocess.run(
    ["unshare", "-m", "true"], check=False, capture_output=True
).returncode == 0  # fmt: skip


@pytest.mark.skipif(not MAY_MOUNT, reason="needs root and unshare: a small disk of its own")
def test_a_full_disk_is_told_with_what_was_kept_and_how_to_mend(tmp_path):
    command = ["unshare", "-m", sys.executable, "-c", FULL, str(tmp_path)]
    process = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    told = json.loads(process.stdout)
    what_en, what_zh, remedy, place = told["blob"]
    assert what_en == "the disk is full; nothing of this file was left behind, and all earlier ones are whole"
    assert what_zh == "磁盘已满；此文件未留下任何残片，已存的文件都完好"
    assert "free some space" in remedy
    assert place == str(tmp_path)
    assert told["names"] == told["kept"]
    assert told["ledger"][0] == "the disk is full; what was acknowledged before is whole"
    assert "free some space" in told["ledger"][2]
    assert told["events"] == told["acknowledged"] > 3
