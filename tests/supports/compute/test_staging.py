"""Who the launcher becomes and what it can still reach: pool uids, staging by mount and by copy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cell_samples import ask, spec

from pilotbase.foundation.errors import InputError, IsolationError
from pilotbase.supports.compute import interpreter, linux, pool, staging
from pilotbase.supports.compute.cell import Mount
from pilotbase.supports.compute.isolated import isolated


@pytest.mark.parametrize("text", ["", "1", "5-1", "a-b", "0-5", "-5", "1-99999999999", "1-2-3"])
def test_a_range_that_cannot_be_read_is_refused(text):
    with pytest.raises(InputError):
        pool.pool({pool.SETTING: text})


def test_the_range_is_a_setting():
    assert pool.pool({}) == range(64100, 64132)
    assert pool.pool({pool.SETTING: "70000-70001"}) == range(70000, 70002)


@pytest.mark.needs("root")
def test_a_uid_is_held_by_one_cell_only(tmp_path, monkeypatch):
    monkeypatch.setenv(pool.SETTING, "64130-64131")
    seats = [pool.take(tmp_path), pool.take(tmp_path)]
    assert {seat.uid for seat in seats if seat} == {64130, 64131}
    with pytest.raises(IsolationError):
        pool.take(tmp_path)
    os.close(seats[0].lock)
    again = pool.take(tmp_path)
    assert again is not None
    assert again.uid == seats[0].uid
    for seat in (seats[1], again):
        os.close(seat.lock)


@pytest.mark.needs("root")
def test_the_uid_of_an_account_is_never_used(tmp_path, monkeypatch):
    monkeypatch.setenv(pool.SETTING, "1-1")  # daemon
    with pytest.raises(IsolationError):
        pool.take(tmp_path)


def test_an_ordinary_user_has_nothing_to_drop(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert pool.take(tmp_path) is None
    stage = staging.choose(drops=False)
    assert stage.place(tmp_path) == stage.place_tree(tmp_path) == str(tmp_path)
    assert stage.order() is None


def test_private_entries_are_seen_at_any_depth(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_text("")
    (tmp_path / "a" / "b" / "file").chmod(0o644)
    (tmp_path / "a" / "link").symlink_to("nowhere")
    for path in (tmp_path, tmp_path / "a", tmp_path / "a/b"):
        path.chmod(0o755)
    assert staging.open_to_others(tmp_path)
    for path, mode in ((tmp_path / "a/b/file", 0o600), (tmp_path / "a/b", 0o750), (tmp_path / "a", 0o744)):
        staging._open_to_others.cache_clear()
        before = path.stat().st_mode
        path.chmod(mode)
        assert not staging.open_to_others(tmp_path)
        path.chmod(before)
        staging._open_to_others.cache_clear()


@pytest.mark.needs("root")
def test_only_what_shuts_others_out_is_copied(tmp_path):
    for name, mode in (("open", 0o755), ("private", 0o700)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
    stage = staging.MountedStage()
    assert [stage.place_tree(tmp_path / name) for name in ("open", "private")] == ["/tmp/0", "/tmp/1"]
    assert [item["copied"] for item in stage.order()["items"]] == [False, True]
    assert stage.place(interpreter.SYSTEM / "bin") == "/usr/bin"


@pytest.mark.needs("root")
def test_without_the_right_to_mount_only_what_cannot_be_reached_is_copied(tmp_path):
    tmp_path.chmod(0o700)
    (tmp_path / "open").mkdir()
    stage = staging.CopiedStage()
    try:
        assert stage.place_tree(tmp_path / "open") == f"{stage.root}/0"
        assert stage.place_tree(Path("/etc/alternatives")) == "/etc/alternatives"
        assert Path(stage.root).stat().st_mode & 0o777 == 0o711
    finally:
        stage.discard()
    assert not Path(stage.root).exists()


BARE_ROOT = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from cell_samples import ask, spec
from pilotbase.supports.compute import linux
from pilotbase.supports.compute.cell import Mount
from pilotbase.supports.compute.isolated import isolated
assert not linux.may_mount()
with isolated(spec(mounts=(Mount(source=Path({source!r}), target="/candidate"),)), Path({state!r})) as cell:
    print(ask(cell, "import part; result = [part.WHO, os.getuid() != 0]"))
"""


@pytest.mark.slow
@pytest.mark.needs("root")
@pytest.mark.needs("cell")
def test_a_root_without_the_right_to_mount_copies_and_clears_away(tmp_path):
    source = tmp_path / "private"
    source.mkdir(mode=0o700)
    (source / "part.py").write_text("WHO = 'copied'")
    before = set(Path("/var/tmp").glob("pilotbase-*"))
    code = BARE_ROOT.format(tests=str(Path(__file__).parent), source=str(source), state=str(tmp_path / "state"))
    words = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin", sys.executable, "-c", code]
    told = subprocess.run(words, capture_output=True, text=True, check=False, timeout=280)
    assert told.stdout == "['copied', True]\n", told.stderr
    assert set(Path("/var/tmp").glob("pilotbase-*")) == before


@pytest.mark.needs("root")
@pytest.mark.needs("cell")
def test_staging_leaves_no_trace_on_the_host(state, tmp_path):
    mounts = Path("/proc/self/mountinfo").read_text()
    with isolated(spec(mounts=(Mount(source=tmp_path, target="/candidate"),)), state) as cell:
        assert ask(cell, "result = os.getuid()") in range(64100, 64132)
        assert Path(f"/proc/{cell.inner}").stat().st_uid in range(64100, 64132)
        assert Path("/proc/self/mountinfo").read_text() == mounts
    assert Path("/proc/self/mountinfo").read_text() == mounts


def test_the_interpreter_is_found_and_nothing_beside_it_shown():
    python = interpreter.find()
    assert python.program.is_file()
    names = {path.name.partition("-3")[0] for path in python.hidden}
    assert names <= {"site-packages", "dist-packages", "test", "config"}
    assert "site-packages" in names or "dist-packages" in names
    for folder in python.folders:
        assert folder.is_relative_to(Path(sys.base_prefix).resolve())
        assert folder.name in {"bin", "lib", "lib64"}


def test_the_right_to_mount_is_read_from_the_kernel():
    if sys.platform != "linux":
        pytest.skip("Linux only")
    status = Path("/proc/self/status").read_text()
    effective = int(next(line for line in status.splitlines() if line.startswith("CapEff")).split()[1], 16)
    assert linux.may_mount() == bool(effective & 1 << 21)
