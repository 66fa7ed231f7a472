"""Terms: what can be asked for. Which stage measures what, in which unit, and which methods can judge it.

This is docs/spec/measures.md as a table. A scenario that asks for something else is refused when it is read, before
a plan is sealed or a hidden row shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

StageName = Literal["intake", "conformance", "effectiveness", "fairness", "efficiency"]
Op = Literal[">=", "<="]

STAGE_ORDER: tuple[StageName, ...] = ("intake", "conformance", "effectiveness", "fairness", "efficiency")
"""Stages are run in this order; a scenario may leave some out."""

HOUSE: tuple[str, ...] = (
    "inputs_served", "licence_known", "requirements_locked", "answers_not_brought", "pickles_unsuspicious",
    "replies_conform",
)  # fmt: skip
"""The house's own criteria, which every candidate meets at intake and conformance; their names are taken."""

OBSERVED = "observed/1"  # the one method without an error rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What may be asked of one measure."""

    stages: tuple[StageName, ...]
    methods: tuple[str, ...]
    ops: tuple[Op, ...]
    unit: str = "1"
    most: Decimal | None = None
    """Bars lie strictly between 0 and this; None = above 0."""
    output: Literal["score", "decision"] | None = None
    """The answer that it is computed from."""
    grouped: bool = False
    """Whether it needs a group column."""
    ranked: bool = False
    """Whether it needs a quantile."""


_ANSWERS: tuple[StageName, ...] = ("effectiveness", "fairness")
_RATE = Term(
    stages=_ANSWERS, methods=("clopper-pearson/1",), ops=(">=", "<="), most=Decimal(1), output="decision"
)  # fmt: skip

TERMS: dict[str, Term] = {
    "auroc": Term(stages=_ANSWERS, methods=("logit-delong/1",), ops=(">=",), most=Decimal(1), output="score"),
    "brier": Term(stages=_ANSWERS, methods=("betting-iid/1",), ops=("<=",), most=Decimal(1), output="score"),
    "accuracy": _RATE,
    "sensitivity": _RATE,
    "specificity": _RATE,
    "sensitivity_gap": Term(
        stages=_ANSWERS,
        methods=("farrington-manning-gap/1",),
        ops=("<=",),
        most=Decimal(1),
        output="decision",
        grouped=True,
    ),
    "latency": Term(stages=("efficiency",), methods=("order-statistic/1",), ops=("<=",), unit="s", ranked=True),
    "rows_per_second": Term(stages=("efficiency",), methods=(OBSERVED,), ops=(">=", "<="), unit="row/s"),
    "peak_memory": Term(stages=("efficiency",), methods=(OBSERVED,), ops=(">=", "<="), unit="byte"),
}
"""By measure."""
