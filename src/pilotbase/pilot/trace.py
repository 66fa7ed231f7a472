"""The trace: what was seen while a candidate ran. Isolation, use of resources, failures. Facts, no judgement."""

from __future__ import annotations

from typing import Literal

from pilotbase.foundation.text import Text
from pilotbase.pilot.document import Noun

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
