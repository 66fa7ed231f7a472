"""The command line: exit codes of FORMATS section 8, both languages, JSON that parses, and never a traceback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_base import CANDIDATE, PACK, SCENARIO, Place, make_candidate, make_pack

from pilotbase.foundation.errors import FaultError
from pilotbase.foundation.text import Text
from pilotbase.foundation.version import VERSION
from pilotbase.interfaces import cli
from pilotbase.interfaces.cli import dossiers, main, pilots
from pilotbase.interfaces.cli.language import chosen, hear
from pilotbase.interfaces.cli.screen import table

USAGE, INPUT, FAULT, STOPPED = 64, 65, 70, 130
Told = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, "C.UTF-8")
    yield
    hear(None)


@pytest.fixture
def here(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("PILOTBASE_HOME", place.variables["PILOTBASE_HOME"])
    return place


@pytest.fixture
def mine(fresh: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("PILOTBASE_HOME", fresh.variables["PILOTBASE_HOME"])
    return fresh


def chinese(text: str) -> bool:
    return re.search("[\u4e00-\u9fff]", text) is not None


def words(*parts: object) -> list[str]:
    return [str(part) for part in parts]


# ---- Usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["run"],
        ["run", "a"],
        ["run", "a", "b", "c"],
        ["run", "a", "b", "--nonsense"],
        ["verify"],
        ["verify", "x", "--lang", "fr"],
        ["scenarios", "nonsense"],
        ["scenarios", "show"],
        ["new", "candidate", "x"],
        ["keys", "retire"],
        ["rehearse", "a", "b", "--seed", "xyz"],
        ["rehearse", "a", "b", "--seed", "F" * 64],
        ["--\x1b[2J"],
        ["verify", "x", "--\u202e"],
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_words_that_do_not_fit_are_a_usage_error(
    here: Place, capsys: Told, monkeypatch: pytest.MonkeyPatch, arguments: list[str], language: str
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8" if language == "zh" else "C")
    assert here.home.is_dir()
    assert main(arguments) == USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    assert chinese(told.err) == (language == "zh")
    assert "\x1b" not in told.err
    assert "\u202e" not in told.err


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["run", "--help"], ["scenarios"], ["keys", "--help"]])
def test_help_is_no_error(capsys: Told, arguments: list[str]) -> None:
    assert main(arguments) == 0
    assert "Usage" in capsys.readouterr().out


def test_the_version(capsys: Told) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == VERSION


def test_every_command_can_be_loaded_and_says_its_help_in_both_languages(capsys: Told) -> None:
    single = [[name] for name, _, _ in cli._COMMANDS]
    grouped = [[group, name] for group, (_, commands) in cli._GROUPS.items() for name, _, _ in commands]
    for command in (*single, *grouped):
        for language in ("zh", "en"):
            assert main([*command, "--lang", language, "--help"]) == 0, command
            assert capsys.readouterr().out


# ---- Bad input


def bad_inputs(folder: Path) -> dict[str, list[str]]:
    (folder / "file").write_bytes(b"x")
    (folder / "empty").mkdir()
    broken = make_candidate(folder / "broken", ('version = "1.0.0"', 'version = "one"'))
    hostile = make_candidate(folder / "hostile", ("Judges by", "\\u001b[2J"))
    linked = make_candidate(folder / "linked")
    (linked / "\x1b[2Jlink").symlink_to("/etc/hostname")
    pack = make_pack(folder / "pack", ("margin = 0.05", "margin = -0.05"))
    return {
        "no scenario": words("rehearse", "manufacturing/nothing", CANDIDATE),
        "no candidate": words("rehearse", SCENARIO, folder / "nothing"),
        "a candidate that is a file": words("rehearse", SCENARIO, folder / "file"),
        "a candidate without its document": words("rehearse", SCENARIO, folder / "empty"),
        "a broken candidate": words("rehearse", SCENARIO, broken),
        "hostile text": words("rehearse", SCENARIO, hostile),
        "a link with a hostile name": words("rehearse", SCENARIO, linked),
        "a plan of nothing": words("plan", SCENARIO, folder / "nothing"),
        "no dossier": words("verify", folder / "nothing"),
        "no ring": words("verify", folder / "empty", "--trust", folder / "nothing"),
        "a ring of garbage": words("verify", folder / "empty", "--trust", folder / "file"),
        "no dossier to report": words("report", folder / "nothing", folder / "r.html"),
        "no dossier to replay": words("replay", folder / "nothing", CANDIDATE),
        "no such pack": words("scenarios", "show", "healthcare/nothing"),
        "a folder that is no pack": words("scenarios", "show", folder / "empty"),
        "a pack with a slip": words("scenarios", "check", pack),
        "a sample of nothing": words("scenarios", "sample", "a/b", folder / "s.csv"),
        "a source that is not there": words("new", "candidate", folder / "n", "--from", "no.py:f", "--scenario", PACK),
        "no wheels": words("new", "lock", folder / "empty", folder / "lock"),
        "no wheels at all": words("new", "lock", folder / "nothing", folder / "lock"),
    }


NAMES = sorted([
    "no scenario", "no candidate", "a candidate that is a file", "a candidate without its document",
    "a broken candidate", "hostile text", "a link with a hostile name", "a plan of nothing", "no dossier", "no ring",
    "a ring of garbage", "no dossier to report", "no dossier to replay", "no such pack", "a folder that is no pack",
    "a pack with a slip", "a sample of nothing", "a source that is not there", "no wheels", "no wheels at all",
])  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_bad_input_is_told_and_never_shown_raw(here: Place, capsys: Told, tmp_path: Path, name: str) -> None:
    cases = bad_inputs(tmp_path)
    assert sorted(cases) == NAMES
    assert here.home.is_dir()
    for language in ("zh", "en"):
        assert main([*cases[name], "--lang", language]) == INPUT
        told = capsys.readouterr()
        assert told.out == ""
        assert "Traceback" not in told.err
        assert "\x1b" not in told.err
        assert told.err.startswith("输入有误" if language == "zh" else "bad input")
        assert len(told.err.splitlines()) >= 2


def test_a_base_without_keys_says_how_to_make_them(
    tmp_path: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    assert main(words("plan", SCENARIO, CANDIDATE)) == INPUT
    assert "keys init" in capsys.readouterr().err


def test_a_home_that_is_something_else_is_left_alone(
    tmp_path: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").write_text("mine")
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path))
    assert main(["keys", "init"]) == INPUT
    assert capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


# ---- Faults and interruptions


ENDINGS: dict[str, tuple[BaseException, int, str]] = {
    "Ctrl-C": (KeyboardInterrupt(), STOPPED, "--resume"),
    "a bug": (RuntimeError("\x1b[2J a bug"), FAULT, "a bug"),
    "a fault": (FaultError(Text(zh="坏", en="\x1b[2J broken")), FAULT, "broken"),
    "a reader that left": (BrokenPipeError(), 0, ""),
    "no memory": (MemoryError(), FAULT, "MemoryError"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_whatever_goes_wrong_ends_in_a_sentence_and_a_code(
    capsys: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    error, code, said = ENDINGS[name]

    def fails(*_: object, **__: object) -> object:
        raise error

    monkeypatch.setattr(dossiers.verbs, "verify", fails)
    assert main(words("verify", tmp_path)) == code
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert "\x1b" not in told


# ---- Verify, report


def test_verify_ends_with_0_or_4(here: Place, capsys: Told, tmp_path: Path) -> None:
    assert main(words("verify", here.dossier)) == 0
    assert "ACCEPTED" in capsys.readouterr().out
    shutil.copytree(here.dossier, tmp_path / "d")
    (tmp_path / "d" / "public" / "verdict.json").write_bytes(b"{}")
    assert main(words("verify", tmp_path / "d")) == 4
    assert "not verified: step 5" in capsys.readouterr().out


@pytest.mark.parametrize(("language", "word"), [("zh", "重新判定"), ("en", "judged again")])
def test_verify_says_its_steps_in_the_readers_language(here: Place, capsys: Told, language: str, word: str) -> None:
    assert main(words("verify", here.dossier, "--lang", language)) == 0
    told = capsys.readouterr().out
    assert word in told
    assert chinese(told) == (language == "zh")
    assert len([line for line in told.splitlines() if re.match(r"\s?\d+  ", line)]) == 12


def test_an_unknown_signer_is_never_0(here: Place, capsys: Told, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"schema": "pilotbase/keys/1", "keys": []}')
    assert main(words("verify", here.dossier, "--trust", tmp_path / "keys.json")) == 4
    assert re.search(r"UNKNOWN SIGNER [0-9a-f]{64}", capsys.readouterr().out)
    assert main(words("verify", here.dossier, "--trust", tmp_path / "keys.json", "--json")) == 4
    assert len(json.loads(capsys.readouterr().out)["unknown_signer"]) == 64


def test_a_hostile_dossier_prints_nothing_raw(here: Place, capsys: Told, tmp_path: Path) -> None:
    shutil.copytree(here.dossier, tmp_path / "d")
    for part in ("", "candidate", "public", "restricted", "restricted/records/effectiveness"):
        (tmp_path / "d" / part / "\x1b[2J\u202e\n").write_bytes(b"x")
    (tmp_path / "d" / "statement.dsse.json").write_bytes(b"\x1b[2J{")
    for more in ([], ["--json"]):
        assert main([*words("verify", tmp_path / "d"), *more]) == 4
        told = capsys.readouterr()
        assert "\x1b" not in told.out + told.err
        assert "\u202e" not in told.out + told.err


def test_a_report_goes_where_it_is_asked_for(here: Place, capsys: Told, tmp_path: Path) -> None:
    assert main(words("report", here.dossier, tmp_path / "r.html", "--lang", "zh")) == 0
    assert "r.html" in capsys.readouterr().out
    assert "<html" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert main(words("report", here.dossier, tmp_path)) == FAULT
    assert "Traceback" not in capsys.readouterr().err


# ---- Run, rehearse, plan


@pytest.mark.parametrize("outcome", ["accepted", "rejected", "undecided"])
def test_a_run_ends_with_the_code_of_its_outcome(outcome: str) -> None:
    assert pilots.EXIT[outcome] == {"accepted": 0, "rejected": 10, "undecided": 20}[outcome]


def test_a_run_of_code_that_someone_vouches_for(mine: Place, capsys: Told, tmp_path: Path) -> None:
    assert mine.home.is_dir()
    out = tmp_path / "d"
    assert main(words("run", SCENARIO, CANDIDATE, "--out", out, "--i-trust-this-code", "--lang", "zh")) == 20
    told = capsys.readouterr()
    assert "证据不足" in told.out
    assert str(out) in told.out
    assert "有效性" in told.err  # progress, as plain lines on standard error
    assert main(words("run", SCENARIO, CANDIDATE, "--out", out, "--i-trust-this-code")) == USAGE
    assert "--out" in capsys.readouterr().err


def test_a_run_answers_in_json(mine: Place, capsys: Told, tmp_path: Path) -> None:
    candidate = make_candidate(tmp_path / "c", ("Apache-2.0", "Mine-1.0"))
    arguments = words("run", SCENARIO, candidate, "--out", tmp_path / "d", "--i-trust-this-code", "--json")
    assert mine.home.is_dir()
    assert main(arguments) == 20  # rejected at intake, and yet without isolation: undecided
    answer = json.loads(capsys.readouterr().out)
    assert answer["dossier"] == str(tmp_path / "d")
    assert answer["verdict"]["judgement"]["outcome"] == "undecided"
    assert answer["verdict"]["judgement"]["stages"][0]["findings"][1]["answer"] == "refused"


def test_a_rehearsal_says_what_would_pass(mine: Place, capsys: Told, tmp_path: Path) -> None:
    assert mine.home.is_dir()
    assert main(words("rehearse", SCENARIO, CANDIDATE, "--seed", "0" * 64)) == 0
    assert "rehearsal, not a verdict" in capsys.readouterr().out
    assert main(words("rehearse", SCENARIO, CANDIDATE, "--json")) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["not_a_verdict"] is True
    assert answer["criteria"] == 13
    hostile = make_candidate(tmp_path / "c")
    (hostile / "predict.py").write_text("import sys\nsys.stderr.write('\\x1b[2J\\u202e gone')\nsys.exit(1)\n")
    assert main(words("rehearse", SCENARIO, hostile, "--lang", "zh")) == 0
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert "gone" in told.out
    assert "自行退出" in told.out


def test_a_draft(here: Place, capsys: Told) -> None:
    assert here.home.is_dir()
    assert main(words("plan", SCENARIO, CANDIDATE, "--lang", "zh")) == 0
    assert "没有签署" in capsys.readouterr().out
    assert main(words("plan", SCENARIO, CANDIDATE, "--json")) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["plan"]["schema"] == "pilotbase/plan/1"
    assert all(one["decidable"] for one in answer["forecasts"])


# ---- Scenarios, keys, new


def test_scenarios_are_listed_and_shown(here: Place, capsys: Told) -> None:
    assert here.home.is_dir()
    assert main(["scenarios", "list"]) == 0
    assert "healthcare/covid-test-triage@1.0.0" in capsys.readouterr().out
    assert main(["scenarios", "list", "--installed"]) == 0
    assert capsys.readouterr().out.strip() == f"{SCENARIO}@1.0.0"
    assert main(words("scenarios", "show", PACK, "--lang", "zh")) == 0
    assert "松动螺栓" in capsys.readouterr().out
    assert main(words("scenarios", "show", PACK, "--json")) == 0
    assert json.loads(capsys.readouterr().out)["id"] == SCENARIO


def test_scenarios_are_checked_installed_and_exported(mine: Place, capsys: Told, tmp_path: Path) -> None:
    assert mine.home.is_dir()
    assert main(words("scenarios", "check", PACK, "--i-trust-this-code")) == 0
    assert "the data is what the scenario commits to" in capsys.readouterr().out
    digest = re.search('hidden = "([0-9a-f]{64})"', (PACK / "scenario.toml").read_text())
    assert digest is not None
    other = make_pack(tmp_path / "pack", (digest[1], "0" * 64))
    assert main(words("scenarios", "check", other, "--i-trust-this-code", "--lang", "zh")) == 0
    assert digest[1] in capsys.readouterr().out
    assert main(words("scenarios", "install", other, "--i-trust-this-code")) == INPUT
    assert "data.hidden" in capsys.readouterr().err
    assert main(words("scenarios", "install", PACK, "--i-trust-this-code")) == 0
    assert "hidden" in capsys.readouterr().out
    assert main(words("scenarios", "sample", SCENARIO, tmp_path / "s.csv")) == 0
    assert (tmp_path / "s.csv").is_file()


def test_keys_are_made_listed_handed_out_retired_and_revoked(
    tmp_path: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    assert main(["keys", "list"]) == 0
    capsys.readouterr()
    assert main(["keys", "init", "--owner", "示范基地"]) == 0
    keyid = re.search("[0-9a-f]{64}", capsys.readouterr().out)
    assert keyid is not None
    assert main(["keys", "init"]) == USAGE
    assert main(words("keys", "export", tmp_path / "keys.json")) == 0
    assert json.loads((tmp_path / "keys.json").read_text())["keys"][0]["keyid"] == keyid[0]
    assert main(words("keys", "export", tmp_path / "no" / "keys.json")) == FAULT
    assert main(["keys", "retire", "0" * 64]) == USAGE
    assert main(["keys", "retire", keyid[0]]) == 0
    assert main(["keys", "revoke", keyid[0]]) == 0
    assert main(["keys", "revoke", keyid[0]]) == USAGE
    capsys.readouterr()
    assert main(["keys", "list", "--lang", "zh"]) == 0
    assert "示范基地" in capsys.readouterr().out


def test_a_new_candidate(tmp_path: Path, capsys: Told) -> None:
    source = f"{CANDIDATE / 'predict.py'}:predict"
    assert main(words("new", "candidate", tmp_path / "made", "--from", source, "--scenario", PACK)) == 0
    assert "rehearse" in capsys.readouterr().out
    assert (tmp_path / "made" / "candidate.toml").is_file()


# ---- Language and screen


@pytest.mark.parametrize(
    ("arguments", "locale", "language"),
    [
        (["--lang", "zh"], "C", "zh"),
        (["--lang=en"], "zh_CN.UTF-8", "en"),
        ([], "zh_CN.UTF-8", "zh"),
        ([], "zh_TW", "zh"),
        ([], "de_DE.UTF-8", "en"),
        ([], "", "en"),
        (["--lang"], "zh_CN", "zh"),
        (["--lang", "fr"], "zh_CN", "zh"),
    ],
)
def test_the_language_is_asked_for_or_that_of_the_surroundings(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], locale: str, language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, locale)
    hear(arguments)
    assert chosen() == language


def test_nothing_in_a_table_is_markup_or_acts_on_the_screen(capsys: Told) -> None:
    table((Text(zh="列", en="column"),), [("[bold]x[/bold] \x1b[2J\u202e",)])
    told = capsys.readouterr().out
    assert "[bold]x[/bold]" in told
    assert "\x1b" not in told
    assert "\u202e" not in told


# ---- The program itself


def program(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pilotbase", *map(str, arguments)],
        env=dict(os.environ) | more, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_the_program_ends_with_the_same_codes(place: Place, tmp_path: Path) -> None:
    told = {
        0: program("verify", place.dossier, **place.variables),
        USAGE: program("nonsense", **place.variables),
        INPUT: program("verify", tmp_path / "nothing", "--lang", "zh", **place.variables),
    }
    for code, done in told.items():
        assert done.returncode == code
        assert "Traceback" not in done.stderr
    assert chinese(told[INPUT].stderr)


def test_a_reader_who_has_seen_enough_is_no_error(place: Place) -> None:
    command = f'"{sys.executable}" -m pilotbase verify "{place.dossier}" | head -1'
    done = subprocess.run(
        ["sh", "-c", command], env=dict(os.environ) | place.variables, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert done.stdout
