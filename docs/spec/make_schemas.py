"""Write the JSON Schema of every document from the nouns of the source: ``python docs/spec/make_schemas.py``.

``tests/house/test_spec.py`` fails when a schema here and a noun there differ.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from pilotbase.pilot import aggregates, candidate, dossier, measurement, plan, scenario, trace, verdict
from pilotbase.pilot.document import Noun

NOUNS: tuple[type[Noun], ...] = (
    scenario.Scenario,
    scenario.Binding,
    candidate.Candidate,
    plan.Plan,
    measurement.Header,
    verdict.Verdict,
    dossier.Manifest,
    dossier.Predicate,
    dossier.Notice,
    dossier.LogProof,
    dossier.OrderSecret,
    dossier.Evidence,
    trace.IsolationReport,
    trace.Metering,
    trace.EnvironmentReport,
    aggregates.Aggregates,
)


def schemas() -> dict[str, str]:
    """Return file name -> JSON Schema, as it must stand here."""
    return {_file(noun): json.dumps(_schema(noun), indent=1, sort_keys=True) + "\n" for noun in NOUNS}


def _file(noun: type[Noun]) -> str:
    return str(noun.SCHEMA).removeprefix("pilotbase/").replace("/", "-") + ".json"  # type: ignore[attr-defined]


def _schema(noun: type[Noun]) -> dict[str, object]:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": noun.SCHEMA}  # type: ignore[attr-defined]
    return head | msgspec.json.schema(noun)


def main() -> None:
    """Write all schemas beside this file, and remove those that no noun stands for."""
    folder = Path(__file__).parent / "schemas"
    folder.mkdir(exist_ok=True)
    wanted = schemas()
    for old in folder.glob("*.json"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
