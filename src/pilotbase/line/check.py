"""Checking a scenario pack: whether its data fits, and whether it can decide what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pilotbase.foundation.text import Text
from pilotbase.line.install import Loading, Offered, load_pack
from pilotbase.line.means import Watch
from pilotbase.pilot.feasibility import Counts, Forecast, forecast
from pilotbase.pilot.plan import plan_stages
from pilotbase.pilot.scenario import Scenario
from pilotbase.supports.data.columns import coded, truth
from pilotbase.supports.data.quality import Remark
from pilotbase.supports.data.quality import check as look
from pilotbase.supports.data.splits import Dealt
from pilotbase.supports.data.table import Table, table_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found. It changes nothing."""

    scenario: Scenario
    dealt: Dealt
    """Its ``whole`` is the digest that the scenario must name as ``data.table``."""
    hidden: str
    """Digest of the hidden table; the scenario must commit to it."""
    remarks: tuple[Remark, ...]
    forecasts: tuple[Forecast, ...]


def check(pack: Offered, loading: Loading, watch: Watch) -> Checked:
    """Load a pack's data aside and look at it. Raises InputError for what cannot even be read."""
    watch.note(Text(zh="正在载入场景数据（不安装）", en="loading the scenario's data, without installing it"))
    dealt = load_pack(pack, loading)
    scenario = pack.scenario
    counts = count_table(scenario, dealt.tables["hidden"])
    stages = plan_stages(scenario, {"sample": dealt.rows["sample"], "hidden": dealt.rows["hidden"]})
    return Checked(
        scenario=scenario,
        dealt=dealt,
        hidden=table_digest(dealt.tables["hidden"]),
        remarks=look(scenario, dealt),
        forecasts=forecast(stages, counts, Decimal(1)),
    )


def count_table(scenario: Scenario, table: Table) -> Counts:
    """Count rows, positives, and positives of each group of a dealt table."""
    positive = truth(scenario, table) == 1
    groups = {}
    for column in scenario.columns("group"):
        codes = coded(column, table.columns[column.name])
        groups[column.name] = tuple(int((positive & (codes == code)).sum()) for code in range(len(column.vocabulary)))
    return Counts(rows=table.rows, positives=int(positive.sum()), groups=groups)
