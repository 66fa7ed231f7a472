"""The trace: what was seen while a candidate ran. Isolation, use of resources, failures. Facts, no judgement."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Literal

from pilotbase.foundation.text import Text
from pilotbase.pilot.document import Noun
from pilotbase.pilot.scenario import StageName

FailureKind = Literal[
    "exited", "killed_memory", "killed_processes", "killed_scratch", "killed_output", "killed_time",
    "slow_start", "slow_call", "wrong_count", "not_finite", "out_of_range", "protocol",
]  # fmt: skip


class Failure(Noun, frozen=True, kw_only=True):
    """A reply that is none: the candidate's own failure, recorded as a value."""

    kind: FailureKind
    detail: str
    """A short machine-made fact (exit code, byte count), never the candidate's own words."""


class Layer(Noun, frozen=True, kw_only=True):
    """One layer of isolation, as the self-test found it."""

    name: str
    present: bool
    required: bool
    detail: Text
    remedy: Text | None = None


class Isolation(Noun, frozen=True, kw_only=True):
    """What stood between the candidate and the host; confirmed by probing from inside."""

    level: Literal["full", "none"]
    layers: tuple[Layer, ...]
    kernel: str
    bubblewrap: str
    """Version and SHA-256 of the program, empty at level none."""
    filter: str
    """SHA-256 of the seccomp program, empty at level none."""


class Usage(Noun, frozen=True, kw_only=True):
    """What one cell used, as seen from outside."""

    wall: str
    """Seconds, decimal text."""
    cpu: str
    """Seconds, a lower bound unless a cgroup counted them."""
    memory: int
    """Largest sum of resident bytes over the process tree, sampled."""
    processes: int
    """Largest number of processes and threads seen at once."""
    stderr: int
    """Bytes that the candidate wrote to standard error."""


def together(usages: Sequence[Usage]) -> Usage:
    """Return what several cells of one stage used: times and output added up, the largest of each peak."""
    return Usage(
        wall=f"{sum((Decimal(one.wall) for one in usages), Decimal(0)):f}",
        cpu=f"{sum((Decimal(one.cpu) for one in usages), Decimal(0)):f}",
        memory=max((one.memory for one in usages), default=0),
        processes=max((one.processes for one in usages), default=0),
        stderr=sum(one.stderr for one in usages),
    )


class Environment(Noun, frozen=True, kw_only=True):
    """The machine and the settings that numbers may depend on."""

    system: str
    machine: str
    processor: str
    cores: int
    python: str
    packages: dict[str, str]
    variables: dict[str, str]
    """The allow-listed variables that the cell was given."""


class IsolationReport(Noun, frozen=True, kw_only=True):
    """``isolation.json``: the isolation of the run, as a document of the dossier."""

    SCHEMA: ClassVar[str] = "pilotbase/isolation/1"

    schema: str
    isolation: Isolation


class Metering(Noun, frozen=True, kw_only=True):
    """``metering.json``: what each stage used, seen from outside its cells; a stage without cells is not listed."""

    SCHEMA: ClassVar[str] = "pilotbase/metering/1"

    schema: str
    stages: dict[StageName, Usage]


class EnvironmentReport(Noun, frozen=True, kw_only=True):
    """``environment.json``: the machine and settings of the run, as a document of the dossier."""

    SCHEMA: ClassVar[str] = "pilotbase/environment/1"

    schema: str
    environment: Environment
