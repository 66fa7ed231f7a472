"""The statement: what is said of which things, in the one shape that is signed.

in-toto Attestation Framework, Statement v1. Subjects are named by SHA-256; the predicate is the caller's. Readers
take the statement from the very bytes whose signature they checked, and never encode it again.

Source  in-toto Attestation Framework, spec/v1/statement.
Errors  InputError when the bytes are not a statement of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from pilotbase.evidence.reading import check_fields, read_canonical
from pilotbase.foundation.canonical import Json, canonical_bytes
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable

TYPE: Final = "https://in-toto.io/Statement/v1"  # an identifier; nothing is fetched
PREDICATE_TYPE: Final = "urn:pilotbase:verdict:1"  # ours for ever, FORMATS section 3
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"  # of the envelope around it
LIMIT: Final = 4 << 20  # bytes; a statement takes some kB
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A predicate about subjects."""

    subjects: dict[str, str]  # name -> SHA-256, at least one
    predicate: dict[str, Json]


def build(subjects: Mapping[str, str], predicate: Mapping[str, Json]) -> bytes:
    """Return the canonical bytes to sign. Raises InputError for a subject without name or digest.

    Args:
        subjects: name -> SHA-256 in lower-case hexadecimal.
        predicate: what is said of them; canonical values only (no floats).

    """
    data = canonical_bytes({
        "_type": TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subjects.items())],
        "predicateType": PREDICATE_TYPE,
        "predicate": dict(predicate),
    })  # fmt: skip
    read(data)  # nothing is signed that its reader would refuse
    return data


def read(data: bytes, file: str = "") -> Statement:
    """Read a statement from the bytes that were signed. Raises InputError naming the field."""
    place = Place(file=file)
    tree = check_fields(
        read_canonical(data, limit=LIMIT, place=place),
        {"_type": str, "subject": list, "predicateType": str, "predicate": dict},
        place,
    )
    _expect(tree, "_type", TYPE, file)
    _expect(tree, "predicateType", PREDICATE_TYPE, file)
    rows = cast("list[object]", tree["subject"])
    pairs = [_read_subject(row, Place(file=file, field=f"subject[{index}]")) for index, row in enumerate(rows)]
    names = [name for name, _ in pairs]
    if not names or names != sorted(set(names)):
        raise InputError(
            Text(
                zh="陈述须有对象，按名称排序且不重名",
                en="a statement needs subjects, sorted by name, each name once",
            ),
            place=Place(file=file, field="subject"),
            found=printable(", ".join(names)),
        )
    return Statement(subjects=dict(pairs), predicate=cast("dict[str, Json]", tree["predicate"]))


def _expect(tree: dict[str, object], name: str, wanted: str, file: str) -> None:
    if tree[name] != wanted:
        raise InputError(
            Text(zh="不是此版本能读的陈述", en="not a statement that this release can read"),
            place=Place(file=file, field=name),
            found=printable(str(tree[name])),
            expected=Text(zh="{wanted}", en="{wanted}").fill(wanted=wanted),
        )


def _read_subject(row: object, place: Place) -> tuple[str, str]:
    fields = check_fields(row, {"name": str, "digest": dict}, place)
    inner = Place(file=place.file, field=f"{place.field}.digest")
    digest = str(check_fields(fields["digest"], {"sha256": str}, inner)["sha256"])
    name = str(fields["name"])
    if not name or not name.isprintable() or not _DIGEST.fullmatch(digest):
        raise InputError(
            Text(zh="对象须有名称与 SHA-256 摘要", en="a subject needs a name and a SHA-256 digest"),
            place=place,
            found=printable(f"{name}: {digest}"),
        )
    return name, digest
