"""The dossier on disk: read without following anything, each part by itself, whatever does not belong set apart."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import a_good_candidate, make_evidence, make_plan

from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import InputError
from pilotbase.pilot import dossier
from pilotbase.pilot.document import read_json, to_bytes
from pilotbase.pilot.dossier import (
    Copy,
    Evidence,
    Manifest,
    StageRecord,
    make_manifest,
    read_copy,
    read_evidence,
    stage_arrays,
)
from pilotbase.pilot.measurement import outcome_digest, pack, records_root


def fill(folder: Path, **files: bytes) -> Path:
    for name, data in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def test_files_are_read_by_their_path_and_part(tmp_path: Path) -> None:
    copy = read_copy(fill(tmp_path / "d", statement=b"1", public__a=b"2", public__records__b=b"3", restricted__c=b"4"))
    assert copy.strays == ()
    assert copy.files == {"statement": b"1", "public/a": b"2", "public/records/b": b"3", "restricted/c": b"4"}
    assert copy.part("public") == {"a": b"2", "records/b": b"3"}
    assert copy.part("candidate") == {}


def test_a_part_is_not_one_whose_name_begins_alike() -> None:
    copy = Copy(files={"public/a": b"1", "publicity/a": b"2"}, strays=())
    assert copy.part("public") == {"a": b"1"}


def test_links_pipes_and_empty_folders_are_strays_and_never_followed(tmp_path: Path) -> None:
    folder = fill(tmp_path / "d", public__a=b"1")
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "public" / "link").symlink_to(tmp_path / "secret")
    (folder / "public" / "loop").symlink_to(folder)
    (folder / "hollow").mkdir()
    os.mkfifo(folder / "pipe")
    copy = read_copy(folder)
    assert copy.files == {"public/a": b"1"}
    assert set(copy.strays) == {"public/link", "public/loop", "hollow/", "pipe"}


def test_names_that_differ_only_by_case_are_strays(tmp_path: Path) -> None:
    folder = fill(tmp_path / "d", public__a=b"1")
    (folder / "public" / "A").write_bytes(b"2")
    assert len(read_copy(folder).strays) == 1


def test_strays_are_printable(tmp_path: Path) -> None:
    folder = fill(tmp_path / "d", a=b"1")
    (folder / "\x1b[2J\u202e").symlink_to("a")
    assert all(name.isprintable() for name in read_copy(folder).strays)


def test_a_file_that_would_fill_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dossier, "LARGEST_FILE", 3)
    copy = read_copy(fill(tmp_path / "d", small=b"123", large=b"1234"))
    assert (dict(copy.files), copy.strays) == ({"small": b"123"}, ("large",))


FILES = st.dictionaries(st.text("abcXYZ/._-", min_size=1, max_size=12), st.binary(max_size=20), max_size=6)


@given(FILES, st.binary(min_size=32, max_size=32))
def test_a_manifest_lists_every_file_once_in_order(files: dict[str, bytes], salt: bytes) -> None:
    manifest = read_json(make_manifest("public", files, salt), Manifest, "manifest.json")
    assert [one.path for one in manifest.files] == sorted(files)
    assert all((one.size, one.sha256) == (len(files[one.path]), sha256(files[one.path])) for one in manifest.files)
    assert (manifest.part, manifest.salt) == ("public", salt.hex())


def test_the_salt_keeps_a_manifest_from_being_guessed() -> None:
    assert sha256(make_manifest("public", {"a": b"yes"}, bytes(32))) != sha256(
        make_manifest("public", {"a": b"yes"}, b"\1" * 32)
    )


def test_evidence_comes_back_as_it_was_measured() -> None:
    plan = make_plan()
    evidence = make_evidence(plan, a_good_candidate())
    restricted: dict[str, bytes] = {}
    records = []
    for one in evidence:
        files = pack(one.records) if one.records else {}
        restricted |= {f"records/{one.stage}/{name}": data for name, data in files.items()}
        root = records_root(files, bytes(32)) if files else None
        records.append(StageRecord(stage=one.stage, skipped=one.skipped, facts=one.facts, root=root))
    document = Evidence(schema=Evidence.SCHEMA, stages=tuple(records))
    again = read_evidence(read_json(to_bytes(document), Evidence, "evidence.json"), restricted)
    assert outcome_digest(again) == outcome_digest(evidence)
    assert [one.stage for one in again] == [one.stage for one in evidence]
    first, second = again[2].records, evidence[2].records
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first["score"], second["score"])
    del restricted["records/effectiveness/score.bin"]
    with pytest.raises(InputError):
        read_evidence(document, restricted)


def test_arrays_of_one_stage_only() -> None:
    restricted = {"records/a/x": b"1", "records/ab/x": b"2", "records/a/y": b"3", "order.json": b"4"}
    assert stage_arrays(restricted, "a") == {"x": b"1", "y": b"3"}


def test_documents_name_their_schema() -> None:
    manifest = json.loads(make_manifest("candidate", {}, bytes(32)))
    assert manifest["schema"] == "pilotbase/manifest/1"
