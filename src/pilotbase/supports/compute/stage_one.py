"""Stage one: the first program inside the cell. Sets hard limits, waits at the gate, becomes the candidate.

One self-contained file, given to the cell as a descriptor, run by a bare interpreter under the filter already.

Usage   stage_one.py GATE NAME=VALUE... -- PROGRAM ARGUMENT...
        GATE is a descriptor: "1" is written when all limits stand, "g" must come back before anything else runs.
Errors  any failure ends the process before the gate: the host then knows that the launch failed, not the candidate.
"""

# ruff: noqa: PTH208
# It must start fast: no pathlib.

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress


def limit(name: str, value: int) -> None:
    """Set soft = hard, never above the hard limit that stands already."""
    kind = getattr(resource, f"RLIMIT_{name}")
    hard = resource.getrlimit(kind)[1]
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bound, bound))
    if resource.getrlimit(kind) != (bound, bound):
        raise OSError(f"limit {name} did not take")


def close_others() -> None:
    """Close every descriptor but standard input, output and error."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:  # noqa: PLR2004 - standard error
            with suppress(OSError):  # the listing's own descriptor is gone by now
                os.close(int(name))


def main(words: list[str]) -> None:
    """Set the limits, pass the gate, run the command."""
    split = words.index("--")
    gate = int(words[0])
    for pair in words[1:split]:
        name, _, value = pair.partition("=")
        limit(name, int(value))
    os.write(gate, b"1")
    if os.read(gate, 1) != b"g":
        os._exit(125)
    close_others()
    os.execv(words[split + 1], words[split + 1 :])  # noqa: S606 - the whole point; no shell


if __name__ == "__main__":
    main(sys.argv[1:])
