"""The shapes that the second verifier knows against the JSON Schemas: neither may know a field more or less."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import made_dossier as made
import pytest
from second_verifier import SPEC, V

PLACES = {
    "plan": ("public/plan.dsse.json", V.PLAN),
    "statement": ("statement.dsse.json", None),
    "verdict": ("public/verdict.json", V.VERDICT),
    "isolation": ("public/isolation.json", V.ISOLATION),
    "notice": ("candidate/notice.json", V.NOTICE),
    "manifest": ("public/manifest.json", V.MANIFEST),
    "order": ("restricted/order.json", V.ORDER),
    "evidence": ("restricted/evidence.json", V.EVIDENCE),
    "records": ("restricted/records/effectiveness/header.json", V.HEADER),
}


def predicate(value: Any, place: str) -> None:
    digest = {"sha256": "0" * 64}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "x", "digest": digest}],
        "predicateType": "urn:pilotbase:verdict:1",
        "predicate": value,
    }
    V.STATEMENT(statement, place)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.make(tmp_path_factory.mktemp("made") / "d")


def document(folder: Path, noun: str) -> tuple[Any, Any]:
    path, check = PLACES[noun]
    raw = (folder / path).read_bytes()
    if noun == "plan":
        return json.loads(V.read_envelope(raw, V.PLAN_TYPE).body), check
    if noun == "statement":
        return json.loads(V.read_envelope(raw, V.STATEMENT_TYPE).body)["predicate"], predicate
    return json.loads(raw), check


def objects_in(value: Any) -> list[dict[str, Any]]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [value] if isinstance(value, dict) else []
    return found + [one for item in inside for one in objects_in(item)]


def passes(check: Any, value: Any) -> bool:
    try:
        check(value, "here")
    except V.FaultError:
        return False
    return True


@pytest.mark.parametrize("noun", PLACES)
def test_leaving_a_field_out_or_adding_one_is_seen_alike(folder: Path, noun: str) -> None:
    value, check = document(folder, noun)
    schema = json.loads((SPEC / "schemas" / f"{noun}-1.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    assert passes(check, value)
    assert validator.is_valid(value), list(validator.iter_errors(value))[:1]
    for holder in objects_in(value)[:200]:
        for key in list(holder):
            kept = holder.pop(key)
            assert passes(check, value) == validator.is_valid(value), (noun, key)
            holder[key] = kept
        holder["more"] = 1
        in_a_text = set(holder) == {"zh", "en", "more"}  # the schemas leave texts open; the verifier does not
        assert passes(check, value) == (validator.is_valid(value) and not in_a_text), (noun, sorted(holder))
        del holder["more"]


@pytest.mark.parametrize("noun", PLACES)
def test_what_a_schema_refuses_the_verifier_refuses(folder: Path, noun: str) -> None:
    value, check = document(folder, noun)
    schema = json.loads((SPEC / "schemas" / f"{noun}-1.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for holder in objects_in(value)[:100]:
        for key in list(holder):
            kept = holder[key]
            for other in (None, True, -1, "", "X", [], {}, [None], {"x": None}):
                holder[key] = other
                assert validator.is_valid(value) or not passes(check, value), (noun, key, other)
            holder[key] = kept


def test_every_schema_of_a_document_that_steps_read_is_compared() -> None:
    written = {path.stem.removesuffix("-1") for path in (SPEC / "schemas").glob("*.json")}
    not_read = {"scenario", "candidate", "binding", "metering", "environment", "aggregates"}
    assert written - not_read - {"log-proof"} == set(PLACES)
