"""What a report is made of: the public documents of a dossier, or the findings of a rehearsal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pilotbase.evidence.envelope import open_envelope
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text
from pilotbase.pilot import dossier
from pilotbase.pilot.aggregates import Aggregates
from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.document import read_json, read_toml
from pilotbase.pilot.plan import Plan, PlannedStage
from pilotbase.pilot.scenario import Scenario, StageName
from pilotbase.pilot.trace import Environment, EnvironmentReport, Isolation, IsolationReport, Metering, Usage
from pilotbase.pilot.verdict import StageFindings, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Whose signature the dossier bears, as far as the reader knows."""

    keyid: str
    owner: str
    """As the reader's own list of keys names it; empty when unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The documents that a report of a pilot is drawn from."""

    plan: Plan
    plan_digest: str
    verdict: Verdict
    scenario: Scenario
    candidate: Candidate
    isolation: Isolation
    usages: Mapping[StageName, Usage]
    environment: Environment
    aggregates: Aggregates
    signer: Signer

    @classmethod
    def from_public(cls, files: Mapping[str, bytes], *, keyid: str, owner: str) -> Contents:
        """Read the documents out of a dossier's public part. Nothing is verified here: that is ``pilot.verify``.

        Args:
            files: path inside ``public/`` -> bytes.
            keyid: the key that signed the statement.
            owner: its owner in the reader's own list of keys; empty when unknown.

        Raises:
            InputError: for a document that is missing or unreadable, or a verdict that belongs to another plan.

        """
        sealed = open_envelope(_file(files, dossier.PLAN), dossier.PLAN)
        contents = cls(
            plan=read_json(sealed.body, Plan, dossier.PLAN),
            plan_digest=sha256(sealed.body),
            verdict=read_json(_file(files, dossier.VERDICT), Verdict, dossier.VERDICT),
            scenario=read_toml(_file(files, dossier.SCENARIO), Scenario, dossier.SCENARIO),
            candidate=read_toml(_file(files, dossier.CANDIDATE), Candidate, dossier.CANDIDATE),
            isolation=read_json(_file(files, dossier.ISOLATION), IsolationReport, dossier.ISOLATION).isolation,
            usages=read_json(_file(files, dossier.METERING), Metering, dossier.METERING).stages,
            environment=read_json(
                _file(files, dossier.ENVIRONMENT), EnvironmentReport, dossier.ENVIRONMENT
            ).environment,
            aggregates=read_json(_file(files, dossier.AGGREGATES), Aggregates, dossier.AGGREGATES),
            signer=Signer(keyid=keyid, owner=owner),
        )
        _belong_together(contents)
        return contents


def _file(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise InputError(
            Text(zh="证据档案的公开部分缺少一个文件", en="a file of the dossier's public part is missing"),
            place=Place(file=f"public/{name}"),
            remedy=Text(zh="请索取完整的公开部分", en="ask for the whole public part"),
        )
    return files[name]


def _belong_together(contents: Contents) -> None:
    """Refuse to put documents of two pilots on one page."""
    pairs = (
        (contents.verdict.plan, contents.plan_digest),
        (contents.verdict.pilot, contents.plan.pilot),
        (contents.scenario.name, contents.plan.scenario.name),
        (contents.candidate.name, contents.plan.candidate.name),
    )
    for found, expected in pairs:
        if found != expected:
            raise InputError(
                Text(zh="这些文件不属于同一个中试项目", en="these documents are not of one pilot"),
                found=found,
                expected=Text(zh=expected, en=expected),
                remedy=Text(zh="请核验证据档案：pilotbase verify", en="check the dossier: pilotbase verify"),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a rehearsal leaves: findings on the sample split, no plan that anybody signed, no verdict."""

    scenario: Scenario
    candidate: Candidate
    planned: tuple[PlannedStage, ...]
    stages: tuple[StageFindings, ...]
    aggregates: Aggregates
    made_at: str
    """Time, as ``foundation.clock`` writes it."""
