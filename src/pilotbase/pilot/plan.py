"""The plan: everything that is decided before the first request is shown. Signed first, never changed.

FORMATS section 4; DESIGN sections 4 and 5. Written by ``line/seal`` only.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

import msgspec

from pilotbase.foundation.text import Text
from pilotbase.pilot.document import Noun
from pilotbase.pilot.scenario import (
    ActionArea,
    Criterion,
    Digest,
    Kind,
    Level,
    Limits,
    Quantity,
    Scenario,
    Sector,
    SplitName,
    StageName,
)
from pilotbase.pilot.terms import OBSERVED

PAYLOAD_TYPE = "application/vnd.pilotbase.plan+json"


class Named(Noun, frozen=True, kw_only=True):
    """Something that the plan pins by name and digest."""

    name: str
    """With its version."""
    digest: Digest


class PlannedStage(Noun, frozen=True, kw_only=True):
    """A stage as it will be run."""

    name: StageName
    split: SplitName | Literal["none"]
    """Which rows it shows to the candidate."""
    rows: int
    """How many rows it shows."""
    criteria: tuple[Criterion, ...]
    proceed: bool = msgspec.field(name="continue")


class Order(Noun, frozen=True, kw_only=True):
    """The commitment to the order and the ids of the hidden rows."""

    commitment: Digest
    """SHA-256(salt || seed); salt and seed lie in ``restricted/``."""
    rows: int


class Words(Noun, frozen=True, kw_only=True):
    """The words of the scenario that sentences need."""

    unit: Text
    positive: Text
    groups: dict[str, tuple[str, ...]]
    """The words of each group column, in code order."""


class Agreement(Noun, frozen=True, kw_only=True):
    """The usage agreement under which the data is opened."""

    purpose: str
    until: str
    digest: Digest


class Plan(Noun, frozen=True, kw_only=True):
    """The sealed plan of one pilot."""

    SCHEMA: ClassVar[str] = "pilotbase/plan/1"

    schema: str
    pilot: str
    """UUIDv7."""
    sealed_at: str
    scenario: Named
    candidate: Named
    candidate_text: Digest
    """Digest of ``candidate.toml``, which the dossier shows; the candidate's own digest covers all its files."""
    kind: Kind
    sector: Sector
    action_area: ActionArea
    verifies: tuple[str, ...]
    stages: tuple[PlannedStage, ...]
    words: Words
    order: Order
    attempt: int
    alpha_spent: Decimal
    """Share of each criterion's alpha that this attempt spends; 1 until the alpha ledger exists."""
    looks: int
    """Looks at the evidence; 1 = one, at the end."""
    max_invalid: Decimal
    disclosure: Literal["coarse", "full"]
    data_public: bool
    isolation: tuple[Level, ...]
    limits: Limits
    batch_rows: int
    valid_for: Quantity
    agreement: Agreement | None
    policies: tuple[Named, ...]
    plugins: tuple[Named, ...]
    """Everything that was looked up by name: loader, adapter shim, measures, methods."""
    software: Named
    """This package: its version and the digest of its source."""
    environment: Named
    """The candidate's environment: its lock's digest."""
    anchor: str
    """A witness's token over the plan digest, or empty."""
    signatures_wanted: tuple[str, ...]

    @property
    def rated(self) -> int:
        """The number m of criteria that carry an error rate: the beta of each is shared among them."""
        return rated(self.stages)


def rated(stages: tuple[PlannedStage, ...]) -> int:
    """Count the criteria that carry an error rate."""
    return sum(criterion.method != OBSERVED for stage in stages for criterion in stage.criteria)


def _house(name: str, op: Literal[">=", "<="], threshold: int, zh: str, en: str) -> Criterion:
    return Criterion(id=name, text=Text(zh, en), measure=name, method=OBSERVED, op=op, threshold=Decimal(threshold))


INTAKE = (
    _house(
        "inputs_served", "<=", 0,
        "只索取判断时刻已知且允许提供的列",
        "asks only for columns that are known at the decision and may be served",
    ),
    _house("licence_known", ">=", 1, "许可证已知", "its licence is known"),
    _house("requirements_locked", "<=", 0, "依赖全部以哈希锁定", "all its requirements are locked by hash"),
    _house("answers_not_brought", "<=", 0, "依赖中不含载有答案的数据包", "brings no package that carries the answers"),
    _house("pickles_unsuspicious", "<=", 0, "没有可疑的 pickle 内容", "holds no suspicious pickle"),
)  # fmt: skip
"""What every candidate must meet before a single row is shown."""

CONFORMANCE = (
    _house("replies_conform", "<=", 0, "在公开样本上按合同应答", "answers the public sample as the contract says"),
)
"""What every candidate must meet before a hidden row is shown."""


def plan_stages(scenario: Scenario, rows: dict[SplitName, int]) -> tuple[PlannedStage, ...]:
    """Return the stages of a scenario with the house's own criteria put in.

    Effectiveness and fairness share one run of the hidden rows: fairness judges the records of effectiveness and
    shows nothing again. Efficiency uses sample rows. FORMATS section 5.
    """
    house = {"intake": INTAKE, "conformance": CONFORMANCE}
    shown: dict[str, tuple[SplitName | Literal["none"], int]] = {
        "conformance": ("sample", min(rows["sample"], 2 * scenario.contract.batch_rows)),
        "effectiveness": ("hidden", rows["hidden"]),
        "efficiency": ("sample", rows["sample"]),
    }
    planned = []
    for stage in scenario.stages:
        split, count = shown.get(stage.name, ("none", 0))
        criteria = house.get(stage.name, ()) + stage.criteria
        planned.append(PlannedStage(name=stage.name, split=split, rows=count, criteria=criteria, proceed=stage.proceed))
    return tuple(planned)
