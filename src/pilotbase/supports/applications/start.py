"""What a candidate is started with: the shim that speaks the protocol, and the shim's configuration.

The shim is one self-contained file: the frames, then the adapter that the candidate names. It imports nothing of this
package, for it runs inside the cell, in the candidate's own environment.
"""

from __future__ import annotations

import difflib
from importlib.resources import files

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.scenario import Column, Scenario

SCHEMA = "pilotbase/start/1"
_SHIMS = "pilotbase.supports.applications.shims"
_FROM_FRAMES = f"from {_SHIMS}.frames import module, stop\n"
SHIM, CONFIGURATION, CANDIDATE, ENVIRONMENT = "/shim.py", "/config.json", "/candidate", "/env"
"""Where the cell shows the shim, its configuration, the candidate and its installed requirements."""
ARGUMENTS = (SHIM, CONFIGURATION, CANDIDATE, ENVIRONMENT)
"""With what the interpreter is started."""


def shim(candidate: Candidate) -> bytes:
    """Return the program that serves this candidate inside its cell."""
    frames, adapter = (
        files(_SHIMS).joinpath(part).read_text(encoding="utf-8")
        for part in ("frames.py", f"serve_{candidate.run.adapter}.py")
    )
    # What the adapter takes from the frames stands above it in the one file.
    return f"{frames}\n\n{adapter.replace(_FROM_FRAMES, '')}\n\nserve(load)\n".encode()


def configuration(scenario: Scenario, candidate: Candidate) -> bytes:
    """Return the canonical JSON that the shim reads: which columns come in which block, and what must go back.

    Raises InputError if the candidate asks for a column that the scenario does not have, or for none.
    """
    asked = [_column(scenario, name) for name in candidate.asks.inputs]
    if not asked:
        raise InputError(
            Text(zh="应用没有索取任何输入列", en="the candidate asks for no input"),
            place=Place(file="candidate.toml", field="asks.inputs"),
        )
    threshold = candidate.run.threshold
    return canonical_bytes({
        "schema": SCHEMA,
        "adapter": candidate.run.adapter,
        "entry": candidate.run.entry,
        "inputs": [column.name for column in asked],
        "numbers": [column.name for column in asked if column.type == "number"],
        "categories": [column.name for column in asked if column.type == "category"],
        "vocabulary": {column.name: list(column.vocabulary) for column in asked if column.type == "category"},
        "outputs": [output.name for output in scenario.contract.output],
        "threshold": None if threshold is None else str(threshold),
    })  # fmt: skip


def _column(scenario: Scenario, name: str) -> Column:
    columns = {column.name: column for column in scenario.contract.columns}
    if name in columns:
        return columns[name]
    near = difflib.get_close_matches(name, columns, n=1)
    raise InputError(
        Text(zh="场景没有这一列", en="the scenario has no such column"),
        place=Place(file="candidate.toml", field="asks.inputs"),
        found=printable(name),
        remedy=Text(zh="是否想写 {near}？", en="did you mean {near}?").fill(near=near[0]) if near else None,
    )
