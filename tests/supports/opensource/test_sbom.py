from __future__ import annotations

import json
import re

import msgspec
import pytest

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.digests import FileEntry, folder_digest
from pilotbase.supports.opensource.sbom import sbom

A, B = "a" * 64, "b" * 64
ENTRIES = [FileEntry("candidate.toml", False, 10, A), FileEntry("模型/model.onnx", True, 20, B)]
LOCK = f"""\
numpy==2.4.6 --hash=sha256:{B} --hash=sha256:{A}
torch==2.9.0+cpu ; sys_platform == 'linux' --hash=sha256:{A}
torch==2.9.0 ; sys_platform != 'linux' --hash=sha256:{A}
six>=1
""".encode()


def test_it_lists_candidate_packages_and_files(make_candidate):
    bill = sbom(make_candidate(), ENTRIES, LOCK)
    root = bill["metadata"]["component"]
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.7", 1)
    assert (root["name"], root["version"], root["licenses"]) == ("pump-watch", "1.0.0", [{"expression": "Apache-2.0"}])
    assert {"name": "pilotbase:candidate-digest", "value": folder_digest(ENTRIES)} in root["properties"]
    listed = [(one["type"], one["name"], one.get("version")) for one in bill["components"]]
    assert listed == [
        ("library", "numpy", "2.4.6"),
        ("library", "torch", "2.9.0+cpu"),
        ("library", "torch", "2.9.0"),
        ("file", "candidate.toml", None),
        ("file", "模型/model.onnx", None),
    ]
    assert bill["components"][1]["purl"] == "pkg:pypi/torch@2.9.0%2Bcpu"
    assert bill["components"][4]["hashes"] == [{"alg": "SHA-256", "content": B}]
    (needs,) = bill["dependencies"]
    assert needs["ref"] == root["bom-ref"]
    assert set(needs["dependsOn"]) == {one["bom-ref"] for one in bill["components"] if one["type"] == "library"}
    references = [one["bom-ref"] for one in bill["components"]]
    assert len(set(references)) == len(references)


def test_the_same_candidate_gives_the_same_bytes(make_candidate):
    first, second = (canonical_bytes(sbom(make_candidate(), ENTRIES, LOCK)) for _ in range(2))
    assert first == second
    assert b"timestamp" not in first


def test_the_serial_number_is_made_from_the_digest(make_candidate):
    serial = sbom(make_candidate(), ENTRIES, b"")["serialNumber"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", serial)
    assert serial.replace("-", "")[9:17] == folder_digest(ENTRIES)[:8]
    assert sbom(make_candidate(), ENTRIES[:1], b"")["serialNumber"] != serial


@pytest.mark.parametrize(
    ("licence", "written"),
    [
        ("MIT OR Apache-2.0", {"expression": "MIT OR Apache-2.0"}),
        ("unknown", {"license": {"name": "unknown"}}),
        ("free for you", {"license": {"name": "unknown"}}),
    ],
)
def test_licences(make_candidate, licence, written):
    candidate = msgspec.structs.replace(make_candidate(), licence=licence)
    assert sbom(candidate, ENTRIES, b"")["metadata"]["component"]["licenses"] == [written]


def test_it_is_valid_cyclonedx(make_candidate):
    schema = pytest.importorskip("cyclonedx.schema")
    validation = pytest.importorskip("cyclonedx.validation.json")
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_7)
    for candidate in (make_candidate(), make_candidate(licence="unknown")):
        assert validator.validate_str(json.dumps(sbom(candidate, ENTRIES, LOCK))) is None
    broken = sbom(make_candidate(), ENTRIES, LOCK) | {"serialNumber": "7"}
    assert validator.validate_str(json.dumps(broken)) is not None
