from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from report_samples import DOCUMENTS, make_contents

from pilotbase.evidence import envelope
from pilotbase.evidence.keys import new_signing_key
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import InputError
from pilotbase.pilot import dossier
from pilotbase.pilot.document import to_bytes
from pilotbase.pilot.plan import PAYLOAD_TYPE
from pilotbase.pilot.trace import EnvironmentReport, IsolationReport, Metering, Usage, together
from pilotbase.report.contents import Contents
from pilotbase.report.pages import render


@pytest.fixture(scope="module")
def public() -> tuple[Contents, dict[str, bytes]]:
    """Return the documents of a pilot and the public part that they make."""
    contents = make_contents("accepted")
    plan_bytes = to_bytes(contents.plan)
    verdict = msgspec.structs.replace(contents.verdict, plan=sha256(plan_bytes))
    key = new_signing_key()
    files = {
        dossier.PLAN: envelope.sign(PAYLOAD_TYPE, plan_bytes, [key]),
        dossier.VERDICT: to_bytes(verdict),
        dossier.SCENARIO: (DOCUMENTS / "scenario.toml").read_bytes(),
        dossier.CANDIDATE: (DOCUMENTS / "candidate.toml").read_bytes(),
        dossier.ISOLATION: to_bytes(IsolationReport(schema=IsolationReport.SCHEMA, isolation=contents.isolation)),
        dossier.METERING: to_bytes(Metering(schema=Metering.SCHEMA, stages=dict(contents.usages))),
        dossier.ENVIRONMENT: to_bytes(
            EnvironmentReport(schema=EnvironmentReport.SCHEMA, environment=contents.environment)
        ),
        dossier.AGGREGATES: to_bytes(contents.aggregates),
        dossier.LEDGER: b"",
    }
    signer = replace(contents.signer, keyid=key.keyid, owner="base")
    return replace(contents, plan_digest=sha256(plan_bytes), verdict=verdict, signer=signer), files


def read(public, files) -> Contents:
    return Contents.from_public(files, keyid=public[0].signer.keyid, owner="base")


def test_the_public_part_gives_back_what_it_was_made_from(public):
    assert read(public, public[1]) == public[0]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_report_drawn_from_files_is_the_report_drawn_from_documents(public, language):
    assert render(read(public, public[1]), language) == render(public[0], language)


@pytest.mark.parametrize(
    "name",
    [dossier.PLAN, dossier.VERDICT, dossier.SCENARIO, dossier.CANDIDATE, dossier.ISOLATION, dossier.METERING,
     dossier.ENVIRONMENT, dossier.AGGREGATES],
)  # fmt: skip
def test_a_missing_document_is_named(public, name):
    files = {path: data for path, data in public[1].items() if path != name}
    with pytest.raises(InputError) as caught:
        read(public, files)
    assert caught.value.place.file == f"public/{name}"


def test_the_verdict_of_another_plan_is_refused(public):
    other = msgspec.structs.replace(public[0].verdict, plan="0" * 64)
    with pytest.raises(InputError, match="not of one pilot"):
        read(public, public[1] | {dossier.VERDICT: to_bytes(other)})


def test_the_card_of_another_candidate_is_refused(public):
    other = public[1][dossier.CANDIDATE].replace(b"triage-boosting", b"another-one")
    with pytest.raises(InputError, match="not of one pilot"):
        read(public, public[1] | {dossier.CANDIDATE: other})


def test_usage_of_several_cells_adds_up():
    one = Usage(wall="1.500000", cpu="1.250000", memory=100, processes=2, stderr=7)
    two = Usage(wall="0.500000", cpu="0.250000", memory=300, processes=1, stderr=3)
    assert together([one, two]) == Usage(wall="2.000000", cpu="1.500000", memory=300, processes=2, stderr=10)
    assert together([]) == Usage(wall="0", cpu="0", memory=0, processes=0, stderr=0)
