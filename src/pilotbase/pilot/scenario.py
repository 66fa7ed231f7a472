"""The scenario: what is asked of an application, written by a person as ``scenario.toml``.

Its digest is the scenario digest. The other half, ``binding.toml``, stays with the data's custodian and says where
the hidden rows lie; the scenario commits to them by digest. FORMATS section 4b.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import msgspec

from pilotbase.foundation.text import Text
from pilotbase.pilot.document import Noun
from pilotbase.pilot.terms import Op, StageName

Kind = Literal["predict"]  # generate, control, agent come with their contracts
Level = Literal["full"]
Sector = Literal["manufacturing", "healthcare", "transportation", "finance", "energy", "other"]
ActionArea = Literal["science", "industry", "consumption", "welfare", "governance", "global"]
SplitName = Literal["sample", "diagnostic", "hidden"]

ScenarioId = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{1,62}/[a-z0-9][a-z0-9-]{2,62}$")]
Version = Annotated[str, msgspec.Meta(pattern=r"^\d{1,6}\.\d{1,6}\.\d{1,6}$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Probability = Annotated[Decimal, msgspec.Meta(description="strictly between 0 and 0.5, as decimal text")]
Quantity = Annotated[str, msgspec.Meta(pattern=r"^\d+(\.\d+)? [A-Za-z]+$")]


class Column(Noun, frozen=True, kw_only=True):
    """A column of the table."""

    name: Name
    role: Literal["input", "target", "group", "unit", "judge_only"]
    """input: served to the candidate. target: the truth. group: judged by, public in the sample, never served.
    unit: what is independent of what, re-keyed wherever it is shown. judge_only: never served, never exported."""
    type: Literal["number", "category"]
    known_at: Literal["decision", "later"]
    """When the value is known: a column known later than the decision is never served."""
    text: Text
    """What it says, for people."""
    unit: str = "1"
    """Unit of a number; ``1`` = a pure number."""
    vocabulary: tuple[str, ...] = ()
    """The words of a category, in code order; code -1 = missing, -2 = a word not listed here."""


class Output(Noun, frozen=True, kw_only=True):
    """A column that the candidate answers with."""

    name: Literal["score", "decision"]
    low: Decimal
    high: Decimal
    """Values outside low..high are the candidate's failure."""
    text: Text


class Contract(Noun, frozen=True, kw_only=True):
    """What is sent and what must come back."""

    columns: tuple[Column, ...]
    output: tuple[Output, ...]
    batch_rows: Annotated[int, msgspec.Meta(ge=1, le=65536)]
    """Rows in one request."""


class Exclusion(Noun, frozen=True, kw_only=True):
    """Rows that are left out before splitting, counted and said."""

    column: Name
    equals: str
    why: Text


class Splits(Noun, frozen=True, kw_only=True):
    """How units are dealt to sample, diagnostic and hidden: by a public salted hash of the unit's id."""

    unit: Name
    """The column whose values stay together in one split."""
    salt: str
    sample: Decimal
    diagnostic: Decimal
    hidden: Decimal
    """Shares of the units; they add up to 1."""
    one_row_per_unit: bool
    """In diagnostic and hidden, serve only the first row of each unit, so that rows are independent."""


class Criterion(Noun, frozen=True, kw_only=True):
    """A requirement with threshold and error rates, written before any run."""

    id: Name
    text: Text
    """The requirement in the words of the task."""
    measure: Name
    method: str
    """Versioned method of judging, for example ``clopper-pearson/1``; docs/spec/methods.md."""
    op: Op
    threshold: Decimal
    margin: Decimal = Decimal(0)
    """How much better than the threshold a candidate must be to be safe from refusal; never negative."""
    unit: str = "1"
    alpha: Probability | None = None
    """Chance of a wrong "held", one-sided; absent for an observed fact."""
    beta: Probability | None = None
    """Chance of a wrong "refused", shared among the plan's criteria; absent for an observed fact."""
    group: Name | None = None
    """The group column, for gap criteria."""
    quantile: Decimal | None = None
    """The quantile, for order statistics."""


class Stage(Noun, frozen=True, kw_only=True):
    """One stage of the pilot and what it requires."""

    name: StageName
    criteria: tuple[Criterion, ...] = ()
    proceed: bool = msgspec.field(default=False, name="continue")
    """Go on to the next stage even when a criterion of this one is not held; written ``continue = true``."""


class Limits(Noun, frozen=True, kw_only=True):
    """What a candidate may use. Quantities carry their unit."""

    memory: Quantity
    scratch: Quantity
    call: Quantity
    """Longest time for one batch."""
    start: Quantity
    """Longest time until the candidate is ready."""
    run: Quantity
    """Longest time for one stage."""
    processes: Annotated[int, msgspec.Meta(ge=1, le=512)]


class DataCard(Noun, frozen=True, kw_only=True):
    """Where the data comes from, and under which terms."""

    source: Text
    package: str
    """Name and version of the package that carries it."""
    package_licence: str
    data_licence: str
    """``unknown`` is allowed, and shown."""
    redistribution: Text
    rows: int
    table: Digest
    """Digest of the whole canonical table."""
    hidden: Digest
    """Commitment to the hidden split: the digest of its table. A binding that does not match is refused."""


class Scenario(Noun, frozen=True, kw_only=True):
    """A scenario pack's public half."""

    SCHEMA: ClassVar[str] = "pilotbase/scenario/1"

    schema: str
    id: ScenarioId
    version: Version
    kind: Kind
    sector: Sector
    action_area: ActionArea
    title: Text
    question: Text
    """What is asked, in one sentence that a director understands."""
    population: Text
    """For whom the verdict's sentence holds."""
    unit: Text
    """What one row is, for people: a patient, a day, a part."""
    positive: Text
    """What a positive truth is, for people."""
    not_said: tuple[Text, ...]
    """What the verdict does not say."""
    target: Literal["population"]
    data_public: bool
    """The hidden rows can be had by anyone: the verdict demonstrates the method."""
    disclosure: Literal["coarse", "full"]
    """What the candidate's side learns before acceptance; ``full`` only with public data."""
    isolation: tuple[Level, ...]
    """Levels that this scenario accepts."""
    valid_for: Quantity
    """How long a verdict holds."""
    max_invalid: Decimal
    """Largest share of items that platform or data may spoil; above it the verdict is undecided."""
    verifies: tuple[str, ...] = ()
    """Which of MIIT's five verifications the scenario serves."""
    licences: tuple[str, ...]
    """SPDX ids of candidate licences that are known here; any other is a finding at intake."""
    data: DataCard
    contract: Contract
    splits: Splits
    exclude: tuple[Exclusion, ...] = ()
    limits: Limits
    stages: tuple[Stage, ...]

    @property
    def name(self) -> str:
        """Return ``sector/name@version``."""
        return f"{self.id}@{self.version}"

    def columns(self, role: str) -> tuple[Column, ...]:
        """Return the columns of one role, in contract order."""
        return tuple(column for column in self.contract.columns if column.role == role)


class Binding(Noun, frozen=True, kw_only=True):
    """Where the custodian keeps the tables of a scenario: ``binding.toml``, never public."""

    SCHEMA: ClassVar[str] = "pilotbase/binding/1"

    schema: str
    scenario: str
    """``sector/name@version``."""
    tables: dict[SplitName, str]
    """Folder of each split, relative to the binding."""
