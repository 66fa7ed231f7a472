"""``scenarios``: list, show, install, sample, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pilotbase.base import verbs
from pilotbase.foundation.text import Text
from pilotbase.interfaces.cli.language import chosen
from pilotbase.interfaces.cli.pilots import show_forecasts
from pilotbase.interfaces.cli.say import answer_json, say
from pilotbase.interfaces.cli.screen import table, watching
from pilotbase.interfaces.cli.words import Json, Lang, PackName, ScenarioName, TrustLoader, Wheels, told
from pilotbase.pilot.document import to_tree
from pilotbase.pilot.scenario import Scenario
from pilotbase.pilot.sentences import quantity
from pilotbase.pilot.verdict import stage_name
from pilotbase.supports.data.quality import Remark


def list_(
    *,
    installed: Annotated[
        bool, Parameter(negative=(), help=told("只列已安装的名称", "names of the installed ones only"))
    ] = False,
    lang: Lang = None,
) -> int:
    """List the scenarios that can be installed, and whether they are."""
    del lang
    here = verbs.installed_scenarios()
    if installed:
        print("\n".join(here))
        return 0
    titles = {pack.scenario.name: pack.scenario.title for pack in verbs.list_scenarios()}
    titles |= {name: verbs.describe_scenario(name).title for name in here}
    rows = [(name, title.say(chosen()), "✓" if name in here else "–") for name, title in sorted(titles.items())]
    table(_LIST, rows)
    return 0


_LIST = (Text(zh="场景", en="scenario"), Text(zh="名称", en="title"), Text(zh="已安装", en="installed"))


def show(scenario: PackName, /, *, lang: Lang = None, json: Json = False) -> int:
    """Show what SCENARIO asks, of whom, and by which criteria."""
    del lang
    asked = verbs.describe_scenario(scenario)
    if json:
        answer_json(to_tree(asked))
        return 0
    _show(asked)
    return 0


def _show(scenario: Scenario) -> None:
    said = chosen()
    print(f"{scenario.name}  {scenario.title.say(said)}\n")
    say(scenario.question)
    say(scenario.population)
    print()
    rows = [
        (stage_name(stage.name).say(said), one.id, f"{one.op} {quantity(one.threshold, one.unit)}", one.text.say(said))
        for stage in scenario.stages
        for one in stage.criteria
    ]
    table(_CRITERIA, rows)
    print()
    columns = [(one.name, one.role, one.known_at, one.type, one.text.say(said)) for one in scenario.contract.columns]
    table(_COLUMNS, columns)
    print()
    for text in scenario.not_said:
        print(f"- {text.say(said)}")


_CRITERIA = (
    Text(zh="阶段", en="stage"),
    Text(zh="判据", en="criterion"),
    Text(zh="要求", en="required"),
    Text(zh="说明", en="in words"),
)
_COLUMNS = (
    Text(zh="列", en="column"),
    Text(zh="角色", en="role"),
    Text(zh="何时已知", en="known at"),
    Text(zh="类型", en="type"),
    Text(zh="说明", en="in words"),
)


def install(
    scenario: PackName, /, *, wheels: Wheels = None, i_trust_this_code: TrustLoader = False, lang: Lang = None
) -> int:
    """Install SCENARIO: build its environment, load its data in a cell without network, put it into custody."""
    del lang
    with watching() as watch:
        installed = verbs.install_scenario(scenario, wheels=wheels, trust_code=i_trust_this_code, watch=watch)
    dealt = installed.dealt
    rows = [(name, str(table_.rows), str(dealt.units[name])) for name, table_ in dealt.tables.items()]
    table(_SPLITS, rows)
    for why, count in dealt.excluded:
        print(f"- {count}: {why.say(chosen())}")
    _remarks(tuple(one for one in installed.remarks if one.severity != "note"))
    say(_INSTALLED.fill(name=installed.scenario.name))
    return 0


_SPLITS = (Text(zh="划分", en="split"), Text(zh="行", en="rows"), Text(zh="单位", en="units"))
_INSTALLED = Text(zh="已安装 {name}", en="installed {name}")


def _remarks(remarks: tuple[Remark, ...]) -> None:
    for one in remarks:
        print(f"- [{one.severity}] {one.text.say(chosen())}")


def sample(scenario: ScenarioName, out: Path, /, *, lang: Lang = None) -> int:
    """Write the public sample of SCENARIO to OUT as CSV."""
    del lang
    verbs.export_sample(scenario, out)
    say(_SAMPLE.fill(path=out))
    return 0


_SAMPLE = Text(zh="公开样本：{path}", en="public sample: {path}")


def check(
    scenario: PackName,
    /,
    *,
    wheels: Wheels = None,
    i_trust_this_code: TrustLoader = False,
    lang: Lang = None,
) -> int:
    """Check a scenario pack: its documents, its data, and what the data can decide. Changes nothing."""
    del lang
    with watching() as watch:
        checked = verbs.check_scenario(scenario, wheels=wheels, trust_code=i_trust_this_code, watch=watch)
    show_forecasts(checked.forecasts)
    _remarks(checked.remarks)
    print(f'data.table  = "{checked.dealt.whole}"\ndata.hidden = "{checked.hidden}"')
    named = (checked.scenario.data.table, checked.scenario.data.hidden)
    say(_AGREES if named == (checked.dealt.whole, checked.hidden) else _DIFFERS)
    return 0


_AGREES = Text(zh="数据与场景的承诺一致", en="the data is what the scenario commits to")
_DIFFERS = Text(
    zh="数据与场景的承诺不一致：请核对，或把上面两行写入 scenario.toml 的 [data]",
    en="the data is not what the scenario commits to: check it, or put these two lines into [data] of scenario.toml",
)
