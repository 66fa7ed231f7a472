"""Digests of bytes, files and folders; Merkle roots against the reference data of RFC 6962's first implementation."""

from __future__ import annotations

import hashlib
import hmac
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.foundation.digests import (
    FileEntry,
    file_digest,
    folder_digest,
    folder_entries,
    keyed,
    merkle_leaf,
    merkle_root,
    sha256,
)
from pilotbase.foundation.errors import InputError

# The leaves and roots that certificate transparency's own tests use.
REFERENCE = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_sha256_of_the_standard_example():
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_file_has_the_digest_of_its_bytes(tmp_path):
    content = os.urandom((1 << 20) + 17)  # more than one block
    (tmp_path / "x").write_bytes(content)
    assert file_digest(tmp_path / "x") == sha256(content)


@given(st.lists(st.binary(max_size=8), max_size=4), st.lists(st.binary(max_size=8), max_size=4))
def test_keyed_digests_tell_where_one_part_ends(one, other):
    assert (keyed(b"k", *one) == keyed(b"k", *other)) == (one == other)


def test_keyed_is_hmac_over_length_and_part():
    message = b"\x02\0\0\0\0\0\0\0ab" + b"\0" * 8
    assert keyed(b"key", b"ab", b"") == hmac.new(b"key", message, hashlib.sha256).digest()


def test_the_roots_of_the_reference_data():
    leaves = [merkle_leaf(bytes.fromhex(data)) for data in REFERENCE]
    assert [merkle_root(leaves[:size]).hex() for size in range(1, 9)] == ROOTS


def test_the_root_of_nothing_is_the_digest_of_nothing():
    assert merkle_root([]).hex() == sha256(b"")


def test_a_folder_lists_its_files_in_order_with_their_executable_bit(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "run.sh").write_bytes(b"#!")
    (tmp_path / "b" / "run.sh").chmod(0o755)
    (tmp_path / "b.txt").write_bytes(b"hello")
    (tmp_path / "b.txt").chmod(0o644)
    (tmp_path / "empty").mkdir()
    assert folder_entries(tmp_path) == [
        FileEntry(path="b.txt", executable=False, size=5, sha256=sha256(b"hello")),
        FileEntry(path="b/run.sh", executable=True, size=2, sha256=sha256(b"#!")),
    ]


def test_a_folder_digest_moves_with_every_part_of_an_entry():
    base = FileEntry(path="a", executable=False, size=1, sha256="0" * 64)
    others = [
        FileEntry(path="b", executable=False, size=1, sha256="0" * 64),
        FileEntry(path="a", executable=True, size=1, sha256="0" * 64),
        FileEntry(path="a", executable=False, size=2, sha256="0" * 64),
        FileEntry(path="a", executable=False, size=1, sha256="1" * 64),
    ]
    digests = {folder_digest([entry]) for entry in (base, *others)} | {folder_digest([]), folder_digest([base, base])}
    assert len(digests) == 7
    assert folder_digest([base]) == sha256(b'[["a",false,1,"' + b"0" * 64 + b'"]]')


def _link(folder):
    (folder / "real").write_bytes(b"")
    (folder / "link").symlink_to("real")


def _linked_folder(folder):
    (folder / "real").mkdir()
    (folder / "link").symlink_to("real")


def _dangling(folder):
    (folder / "link").symlink_to("nowhere")


def _pipe(folder):
    os.mkfifo(folder / "pipe")


def _newline(folder):
    (folder / "a\nb").write_bytes(b"")


def _not_utf8(folder):
    (folder / os.fsdecode(b"\xff")).write_bytes(b"")


def _backslash(folder):
    (folder / "a\\b").write_bytes(b"")


def _twins(folder):
    (folder / "Model.onnx").write_bytes(b"")
    (folder / "model.onnx").write_bytes(b"")


@pytest.mark.parametrize(
    "make", [_link, _linked_folder, _dangling, _pipe, _newline, _not_utf8, _backslash, _twins], ids=lambda f: f.__name__
)
def test_what_is_no_plain_file_is_refused_by_name(tmp_path, make):
    make(tmp_path)
    with pytest.raises(InputError) as caught:
        folder_entries(tmp_path)
    assert caught.value.found
    assert caught.value.found.isprintable()
    assert caught.value.place.file == str(tmp_path)
    assert caught.value.remedy is not None
