"""The pages name what there is, their links lead somewhere, and the guides work as they stand."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest

from pilotbase.foundation import errors, plug
from pilotbase.foundation.errors import IsolationError
from pilotbase.foundation.version import VERSION
from pilotbase.interfaces import cli
from pilotbase.interfaces.cli.dossiers import NOT_VERIFIED
from pilotbase.interfaces.cli.pilots import ANSWERS, EXIT, OUTCOMES
from pilotbase.pilot.verdict import stage_name
from pilotbase.store import home
from pilotbase.supports.compute import pool

ROOT = Path(__file__).parents[2]
READMES = (ROOT / "README.md", ROOT / "README.zh.md")
GUIDES = tuple(ROOT / "docs" / "guide" / name for name in ("own-scenario.md", "own-candidate.md"))
PAIRS = (READMES, *((page, page.with_suffix(".zh.md")) for page in GUIDES))
LARGEST_PICTURE = 300_000  # bytes

both_readmes = pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
each_pair = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].stem)


def pages() -> list[Path]:
    """Return every page of the repository, those not yet committed included."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, check=True)
    return sorted({path for name in done.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()})


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Return a page without its code, which holds no links."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"(?:\n {4}[^\n]*)+", "\n", text)
    return re.sub(r"`[^`\n]*`", "", text)


def headings(text: str) -> list[tuple[int, str]]:
    bare = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [(len(mark), title) for mark, title in re.findall(r"^(#{1,6}) +(.+?) *$", bare, re.MULTILINE)]


def anchors(text: str) -> set[str]:
    """Return the anchors that a page's headings give: lower case, blanks to hyphens, punctuation gone."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for _, title in headings(text)}


def code_lines(text: str) -> list[str]:
    """Return the shell lines of a page: indented, or in a block marked ``sh``."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(
        r"^ {4}(.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return [line.strip() for line in [*indented, *"\n".join(blocks).splitlines()]]


def verbs() -> list[str]:
    """Return every verb and sub-verb of the command line."""
    single = [name for name, _, _ in cli._COMMANDS]
    return single + [f"{group} {name}" for group, (_, commands) in cli._GROUPS.items() for name, _, _ in commands]


def settings() -> set[str]:
    """Return every variable of our own that the source names."""
    source = "".join(read(path) for path in (ROOT / "src").rglob("*.py"))
    return set(re.findall(r"\bPILOTBASE_[A-Z_]+\b", source))


def exit_codes() -> set[int]:
    families = [errors.PilotbaseError]
    for family in families:
        families.extend(family.__subclasses__())
    return {*EXIT.values(), NOT_VERIFIED, *(family.code for family in families)}


@both_readmes
def test_every_verb_is_named(readme: Path) -> None:
    text = read(readme)
    assert [verb for verb in verbs() if f"`pilotbase {verb}`" not in text] == []


def test_settings_are_those_of_the_source() -> None:
    assert settings() == {home.VARIABLE, pool.SETTING}


@both_readmes
def test_every_setting_and_plug_in_group_is_named(readme: Path) -> None:
    text = read(readme)
    assert [name for name in (*settings(), *plug.GROUPS) if f"`{name}`" not in text] == []


@both_readmes
def test_every_exit_code_has_its_row_and_no_other_has(readme: Path) -> None:
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", read(readme), re.MULTILINE)} == exit_codes()


@both_readmes
def test_the_examples_are_those_that_there_are(readme: Path) -> None:
    there = {path.parent.name for path in (ROOT / "examples" / "candidates").glob("*/candidate.toml")}
    assert set(re.findall(r"^\| ((?:triage|cheat)-[\w-]+) \|", read(readme), re.MULTILINE)) == there


@both_readmes
def test_the_bars_are_those_of_the_scenario(readme: Path) -> None:
    folder = ROOT / "src/pilotbase/sectors/healthcare/covid_test_triage"
    scenario = tomllib.loads(read(folder / "scenario.toml"))
    rows = re.findall(r"^\|[^|]+\|[^|]+\|([^|]+)\| `([\w/-]+)` \|$", read(readme), re.MULTILINE)
    wanted = [(one["threshold"], one["method"]) for stage in scenario["stages"] for one in stage.get("criteria", ())]
    said = [(float(bar), method) for bars, method in rows for bar in re.findall(r"[≥≤] ([\d.]+)", bars)]
    mebi = 1 << 20
    assert said == [(bar / mebi if bar > mebi else bar, method) for bar, method in wanted]


@both_readmes
def test_make_targets_exist(readme: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)`", read(readme)))
    named |= {line.split()[1] for line in code_lines(read(readme)) if line.startswith("make ")}
    assert {"pilot", "test"} <= named <= targets


@each_pair
def test_both_languages_have_the_same_sections(pair: tuple[Path, Path]) -> None:
    first, second = ([level for level, _ in headings(read(page))] for page in pair)
    assert first == second


@each_pair
def test_both_languages_give_the_same_commands_and_files(pair: tuple[Path, Path]) -> None:
    english, chinese = (read(page) for page in pair)
    assert named_blocks(english) == named_blocks(chinese)
    commands = [
        [line.partition(" #")[0].split() for line in code_lines(text) if line.startswith("pilotbase ")]
        for text in (english, chinese)
    ]
    assert [line[:2] for line in commands[0]] == [line[:2] for line in commands[1]]


@pytest.mark.parametrize("page", [page for pair in PAIRS for page in pair], ids=lambda path: path.name)
def test_command_lines_are_understood(page: Path) -> None:
    """Each line that begins with ``pilotbase`` is parsed by the real program: verb, options, number of words."""
    lines = [line.partition(" #")[0].partition(" || ")[0] for line in code_lines(read(page))]
    lines = [line for line in lines if line.startswith("pilotbase ")]
    assert lines
    for line in lines:
        cli._app().parse_args(shlex.split(line)[1:], exit_on_error=False, print_error=False)


def test_relative_links_lead_somewhere() -> None:
    broken = []
    for page in pages():
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(read(page))):
            if re.match(r"[a-z]+:", target):
                continue
            place, _, anchor = unquote(target).partition("#")
            found = (page.parent / place).resolve() if place else page
            lost = not found.exists() or (anchor and anchor not in anchors(read(found)))
            if lost or ROOT not in (found, *found.parents):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_pictures_are_ours_and_small() -> None:
    for readme in READMES:
        shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", read(readme))
        assert shown
        for target in shown:
            data = (ROOT / target).read_bytes()
            assert data[:8] == b"\x89PNG\r\n\x1a\n", target
            assert int.from_bytes(data[16:20]) == 1200, target
            assert len(data) <= LARGEST_PICTURE, target


def test_decisions_are_numbered_and_say_what_was_not_taken() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    index = read(records[0])
    for path in records:
        text = read(path)
        assert re.match(rf"# {int(path.name[:4])}\. ", text), path
        assert path.name in index, path
        for part in ("**Context.**", "**Decision.**", "**Not taken.**", "**Cost.**"):
            assert text.count(part) == 1, (path, part)


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    wanted = [re.match(r"[\w-]+", one) for one in project["dependencies"]]
    lines = {
        line.split()[1].lower()
        for line in read(ROOT / "docs/adr/0003-dependencies.md").splitlines()
        if line[:2] == "| "
    }
    assert [one[0] for one in wanted if one and one[0].lower() not in lines] == []


def test_the_glossary_holds_the_words_that_people_are_shown() -> None:
    text = read(ROOT / "docs" / "glossary.md").lower()
    stages = tomllib.loads(read(ROOT / "src/pilotbase/sectors/healthcare/covid_test_triage/scenario.toml"))["stages"]
    shown = [*OUTCOMES.values(), *ANSWERS.values(), *(stage_name(stage["name"]) for stage in stages)]
    assert [one for one in shown if one.en.lower() not in text or one.zh not in text] == []


def test_the_changelog_tells_of_this_version() -> None:
    assert re.search(rf"^## {re.escape(VERSION)}\b", read(ROOT / "CHANGELOG.md"), re.MULTILINE)


def named_blocks(text: str) -> list[tuple[str, str, str, str]]:
    """Return the blocks of a guide: (kind, name, language, content); kind and name stand in a comment before it."""
    pattern = r"(?:<!-- (file|after|digests)(?:: ([^\n]+))? -->\n)?^```(\w+)\n(.*?)^```$"
    return re.findall(pattern, text, re.MULTILINE | re.DOTALL)


class Reader:
    """Somebody who does what a guide says, in an empty folder."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.variables = variables
        self.said = ""

    def follow(self, guide: Path, by_hand: dict[str, object]) -> None:
        """Save every file, run every command; before some commands, do by hand what the text asks for."""
        for kind, name, language, content in named_blocks(read(guide)):
            if kind == "file":
                self.save(name, content)
            elif language == "sh":
                if kind == "after":
                    by_hand[name]()  # type: ignore[operator]
                self.run(content)

    def save(self, name: str, content: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def run(self, commands: str) -> None:
        done = subprocess.run(
            ["bash", "-e", "-c", commands],
            cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        self.said = done.stdout
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"

    def fill_in(self, name: str, inputs: str) -> None:
        """State a licence and strike the columns that are not used."""
        path = self.folder / name / "candidate.toml"
        text = read(path).replace('licence = "unknown"', 'licence = "MIT"')
        path.write_text(re.sub(r"inputs = \[.*?^\]", f"inputs = [{inputs}]", text, flags=re.DOTALL | re.MULTILINE))


@pytest.fixture
def variables() -> dict[str, str]:
    """Return the variables of a reader who has this release on the path; skip where no cell can be had."""
    place = Path(sys.executable).parent
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PILOTBASE")}
    made = kept | {"PATH": f"{place}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    made["PILOTBASE_HOME"] = str(ROOT / ".pilotbase-tests")
    if (
        subprocess.run(["pilotbase", "doctor"], env=made, capture_output=True, check=False).returncode
        == IsolationError.code
    ):
        pytest.skip("needs isolation of level full")
    return made


@pytest.mark.slow
def test_the_guide_to_a_candidate_works(variables: dict[str, str], tmp_path: Path) -> None:
    """On the base of the stories: keys, the first scenario, kept between runs."""
    words = ["sh", str(ROOT / "tools" / "candidates.sh"), str(Path(sys.executable).parent), "triage-age-only"]
    subprocess.run(words, cwd=ROOT, env=variables, check=True, capture_output=True)
    reader = Reader(tmp_path, variables)
    reader.follow(GUIDES[1], {"filled": lambda: reader.fill_in("my-candidate", '"pan_day", "age"')})
    assert "Outcome: REJECTED" in reader.said


@pytest.mark.slow
def test_the_guide_to_a_scenario_works(variables: dict[str, str], tmp_path: Path) -> None:
    """On a fresh base; the digests that the guide shows are those that its data has."""
    reader = Reader(tmp_path, variables | {"PILOTBASE_HOME": str(tmp_path / "base")})
    reader.run("pilotbase keys init")
    other = named_blocks(read(GUIDES[1]))
    digests = re.findall(r'^data\.(table|hidden) += "(\w{64})"$', read(GUIDES[0]), re.MULTILINE)

    def put_digests() -> None:
        text = read(tmp_path / "pack" / "scenario.toml")
        for name, digest in digests:
            assert f'= "{digest}"' in reader.said, f"the guide shows another digest of {name}"
            text = re.sub(rf'^{name} = "0+"$', f'{name} = "{digest}"', text, flags=re.MULTILINE)
        reader.save("pack/scenario.toml", text)
        reader.run("pilotbase scenarios check ./pack --wheels wheels")
        assert "the data is what the scenario commits to" in reader.said

    def fill_in_and_lock() -> None:
        reader.fill_in("first-rule", '"temperature", "vibration"')
        reader.run(
            next(content for _, name, _, content in other if name == "filled").replace("my-candidate", "first-rule")
        )

    assert len(digests) == 2
    reader.follow(GUIDES[0], {"digests": put_digests, "candidate": fill_in_and_lock})
    assert "Outcome: ACCEPTED" in reader.said


def test_the_guides_python_is_python() -> None:
    for page in GUIDES:
        for kind, name, language, content in named_blocks(read(page)):
            if kind == "file" and language == "python":
                ast.parse(content, filename=name)
