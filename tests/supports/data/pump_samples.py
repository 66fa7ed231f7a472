"""Tables of pumps for the tests of this room."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from pilotbase.supports.data.splits import deal
from pilotbase.supports.data.table import Table, TableColumn, table_digest

BAD = Path(__file__).parent / "bad"


def number(values) -> TableColumn:
    return TableColumn("number", (), np.asarray(values, dtype="<f8"))


def category(words, codes) -> TableColumn:
    return TableColumn("category", tuple(words), np.asarray(codes, dtype="<i4"))


def pumps(rows: int = 400, seed: int = 7, **changes: TableColumn) -> Table:
    """Return a table of pumps: about two inspections each; words in an order that is not the contract's."""
    rng = np.random.default_rng(seed)
    hours = rng.integers(1, 9000, rows).astype(float)
    hours[:3] = 0
    failed = rng.choice([0, 1, 2], rows, p=[0.30, 0.68, 0.02])
    columns = {
        "failed": category(("yes", "no", "unknown"), failed),
        "pump_id": number(rng.integers(0, rows // 2, rows)),
        "temperature": number(np.where(rng.random(rows) < 0.1, np.nan, rng.normal(60, 9, rows).round(2))),
        "site": category(("west", "east", "north", "south"), rng.integers(-1, 4, rows)),
        "hours": number(hours),
        "repair_cost": number(rng.random(rows)),
        "line": category(("new", "old"), rng.integers(-1, 2, rows)),
        "inspector": category(("Ada", "Bo"), rng.integers(0, 2, rows)),
    }
    return Table(rows, columns | changes)


def committed(scenario, table: Table):
    """Return a scenario that commits to this table."""
    dealt = deal(scenario, table)
    hidden = table_digest(dealt.tables["hidden"])
    data = msgspec.structs.replace(scenario.data, table=dealt.whole, hidden=hidden)
    return msgspec.structs.replace(scenario, data=data)
