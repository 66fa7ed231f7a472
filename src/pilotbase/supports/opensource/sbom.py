"""The bill of materials of a candidate: CycloneDX 1.7 JSON, the same bytes for the same candidate.

Source  ECMA-424 (CycloneDX); 1.7, 2025. No time and no random number is in it: the serial number is made from the
        candidate digest (RFC 9562 section 5.8, version 8).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from pilotbase.foundation.canonical import Json
from pilotbase.foundation.digests import FileEntry, folder_digest
from pilotbase.pilot.candidate import Candidate
from pilotbase.supports.opensource.licences import judge
from pilotbase.supports.opensource.lock import Requirement, read_lock

SPEC = "1.7"


def sbom(candidate: Candidate, entries: Sequence[FileEntry], lock: bytes) -> dict[str, Json]:
    """Return the bill of materials: the candidate, its files, and what its lock pins.

    Args:
        candidate: what its makers wrote of it.
        entries: its files.
        lock: its requirements file as handed in; what is not locked in it is not a component.

    """
    digest = folder_digest(entries)
    packages = [_package(one) for one in read_lock(lock).requirements]
    needed: list[Json] = [*sorted({str(one["bom-ref"]) for one in packages})]
    files = [_file(entry) for entry in entries]
    root = f"candidate:{candidate.name}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": _serial(digest),
        "version": 1,
        "metadata": {"component": _root(candidate, root, digest)},
        "components": [*packages, *files],
        "dependencies": [{"ref": root, "dependsOn": needed}],
    }


def _serial(digest: str) -> str:
    number = int(digest[:32], 16)
    number = number & ~(0xF << 76) | 0x8 << 76  # version 8: made as its maker likes
    number = number & ~(0b11 << 62) | 0b10 << 62  # variant of RFC 9562
    return f"urn:uuid:{uuid.UUID(int=number)}"


def _root(candidate: Candidate, reference: str, digest: str) -> dict[str, Json]:
    # With no licence listed as known, only a readable expression comes out as "not allowed".
    readable = judge(candidate.licence, ()) == "not allowed"
    licence: dict[str, Json] = {"expression": candidate.licence} if readable else {"license": {"name": "unknown"}}
    return {
        "type": "application",
        "bom-ref": reference,
        "name": candidate.id,
        "version": candidate.version,
        "description": candidate.card.summary.en,
        "licenses": [licence],
        "properties": [_property("candidate-digest", digest), _property("adapter", candidate.run.adapter)],
    }


def _package(one: Requirement) -> dict[str, Json]:
    """Return a locked requirement. Its hashes are those of the files that may be installed, any one of them."""
    properties: list[Json] = [_property("accepted-sha256", digest) for digest in one.hashes]
    if one.marker:
        properties.insert(0, _property("marker", one.marker))
    address = f"pkg:pypi/{one.name}@{one.version.replace('+', '%2B').replace('!', '%21')}"
    return {
        "type": "library",
        "bom-ref": f"{address}#{one.line}" if one.marker else address,
        "name": one.name,
        "version": one.version,
        "purl": address,
        "properties": properties,
    }


def _file(entry: FileEntry) -> dict[str, Json]:
    return {
        "type": "file",
        "bom-ref": f"file:{entry.path}",
        "name": entry.path,
        "hashes": [{"alg": "SHA-256", "content": entry.sha256}],
        "properties": [_property("size", str(entry.size))],
    }


def _property(name: str, value: str) -> dict[str, Json]:
    return {"name": f"pilotbase:{name}", "value": value}
