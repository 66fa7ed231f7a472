"""The candidate: an application that answers, described by its makers in ``candidate.toml``."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import msgspec

from pilotbase.foundation.text import Text
from pilotbase.pilot.document import Noun
from pilotbase.pilot.scenario import Kind, Version

CandidateId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{3,64}$")]
RelativePath = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")]


class Run(Noun, frozen=True, kw_only=True):
    """How the candidate is started inside its cell."""

    adapter: Literal["python", "onnx"]
    """python: a function of a module. onnx: a model file served by onnxruntime."""
    entry: str
    """``module:function`` for python, a file for onnx."""
    requirements: RelativePath = "requirements.lock"
    """Hash-locked requirements, read by pip inside a cell."""
    threshold: Decimal | None = None
    """onnx only: the candidate's own threshold, decision = score >= threshold; a python candidate decides itself."""


class Asks(Noun, frozen=True, kw_only=True):
    """What the candidate wants to see and what it answers."""

    inputs: tuple[str, ...]
    """Input columns of the scenario's contract, in the order that the candidate wants."""
    output: tuple[str, ...]


class Card(Noun, frozen=True, kw_only=True):
    """What the makers say of it; claims, not findings."""

    summary: Text
    trained_on: Text
    contact: str = ""


class Candidate(Noun, frozen=True, kw_only=True):
    """One version of one application."""

    SCHEMA: ClassVar[str] = "pilotbase/candidate/1"

    schema: str
    id: CandidateId
    version: Version
    kind: Kind
    licence: str
    """SPDX expression, or ``unknown``."""
    run: Run
    asks: Asks
    card: Card

    @property
    def name(self) -> str:
        """Return ``id@version``."""
        return f"{self.id}@{self.version}"
