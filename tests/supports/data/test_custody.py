from __future__ import annotations

import hmac
import stat
from pathlib import Path

import msgspec
import numpy as np
import pytest
from pump_samples import BAD, committed, pumps

from pilotbase.foundation.errors import FaultError, InputError
from pilotbase.supports.data.custody import Custody, install
from pilotbase.supports.data.splits import deal
from pilotbase.supports.data.table import table_digest, write_table

SEED = bytes(range(32))
INPUTS = ("hours", "site", "temperature")


@pytest.fixture
def pack(scenario):
    return committed(scenario, pumps())


@pytest.fixture
def custody(pack, tmp_path):
    install(pack, b"text", deal(pack, pumps()), tmp_path / "pack")
    return Custody.open(tmp_path / "pack/binding.toml", pack)


def test_installed_for_the_owner_only(custody, tmp_path):
    assert custody.rows("hidden") > 0
    assert (tmp_path / "pack/scenario.toml").read_bytes() == b"text"
    for path in (tmp_path / "pack", *(tmp_path / "pack").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pack"]


def test_installing_again_replaces_the_whole(pack, tmp_path):
    dealt = deal(pack, pumps())
    install(pack, b"old", dealt, tmp_path / "pack")
    (tmp_path / "pack/left-over").write_text("x")
    install(pack, b"new", dealt, tmp_path / "pack")
    assert (tmp_path / "pack/scenario.toml").read_bytes() == b"new"
    assert not (tmp_path / "pack/left-over").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pack"]


def test_other_data_is_not_installed_and_leaves_nothing(pack, tmp_path):
    with pytest.raises(InputError, match="not what the scenario commits to"):
        install(pack, b"", deal(pack, pumps(seed=8)), tmp_path / "pack")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("custody")
def test_a_full_disk_leaves_the_old_data(pack, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pilotbase.supports.data.custody.write_private", full)
    with pytest.raises(FaultError, match="the disk is full"):
        install(pack, b"new", deal(pack, pumps()), tmp_path / "pack")
    assert (tmp_path / "pack/scenario.toml").read_bytes() == b"text"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pack"]


def by_hand(seed: bytes, label: bytes, row: int) -> bytes:
    """HMAC-SHA256 over length-prefixed parts, written a second time."""
    name = str(row).encode()
    body = len(label).to_bytes(8, "little") + label + len(name).to_bytes(8, "little") + name
    return hmac.digest(seed, body, "sha256")


def test_order_and_ids_follow_from_the_seed_alone(custody, pack):
    hidden = deal(pack, pumps()).tables["hidden"]
    order = sorted(range(hidden.rows), key=lambda row: by_hand(SEED, b"order", row))
    requests = custody.part("hidden", SEED, INPUTS).requests
    assert [bytes(one) for one in requests.ids] == [by_hand(SEED, b"id", row)[:16] for row in order]
    np.testing.assert_array_equal(requests.numbers[:, 0], hidden.columns["hours"].values[order])
    again = custody.part("hidden", SEED, INPUTS).requests
    assert again.numbers.tobytes() == requests.numbers.tobytes()
    other = custody.part("hidden", bytes(32), INPUTS).requests
    assert not set(map(bytes, other.ids)) & set(map(bytes, requests.ids))


def test_blocks_hold_what_was_asked_for_in_that_order(custody):
    requests = custody.part("hidden", SEED, INPUTS).requests
    rows = custody.rows("hidden")
    assert requests.number_names == ("hours", "temperature")
    assert requests.code_names == ("site",)
    assert (requests.numbers.shape, requests.numbers.dtype) == ((rows, 2), np.dtype("<f8"))
    assert (requests.codes.shape, requests.codes.dtype) == ((rows, 1), np.dtype("<i4"))
    assert requests.numbers.flags.c_contiguous
    assert requests.codes.flags.c_contiguous
    assert np.isnan(requests.numbers[:, 1]).any()


def test_codes_are_those_of_the_contract(custody, pack):
    """The table's words are west, east, north, south; the contract's north, south, west: east is unseen."""
    hidden = deal(pack, pumps()).tables["hidden"]
    order = sorted(range(hidden.rows), key=lambda row: by_hand(SEED, b"order", row))
    meaning = {-1: -1, 0: 2, 1: -2, 2: 0, 3: 1}
    expected = [meaning[int(hidden.columns["site"].values[row])] for row in order]
    assert custody.part("hidden", SEED, ("site",)).requests.codes[:, 0].tolist() == expected
    assert set(expected) == {-2, -1, 0, 1, 2}


def test_truths_lie_in_the_order_of_the_requests(custody, pack):
    hidden = deal(pack, pumps()).tables["hidden"]
    order = sorted(range(hidden.rows), key=lambda row: by_hand(SEED, b"order", row))
    parted = custody.part("hidden", SEED, INPUTS)
    assert parted.truths.ids.tobytes() == parted.requests.ids.tobytes()
    assert parted.truths.target.dtype == np.uint8
    # words of the table: yes, no
    assert parted.truths.target.tolist() == [int(hidden.columns["failed"].values[row] == 0) for row in order]
    line = {-1: -1, 0: 1, 1: 0}
    assert parted.truths.groups["line"].tolist() == [line[int(hidden.columns["line"].values[row])] for row in order]
    assert parted.truths.words == {"line": ("old", "new")}


def test_no_inputs_give_truths_only(custody):
    parted = custody.part("hidden", SEED, ())
    assert parted.requests.numbers.shape == (custody.rows("hidden"), 0)
    assert parted.requests.codes.shape == (custody.rows("hidden"), 0)
    assert len(parted.truths.target) == custody.rows("hidden")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("failed", "it is the truth"),
        ("repair_cost", "only after the decision"),
        ("line", "group by group"),
        ("pump_id", "belong together"),
        ("inspector", "kept for judging"),
        ("colour", "no such column"),
        ("hours", "asked for twice"),
    ],
)
@pytest.mark.parametrize("split", ["sample", "diagnostic", "hidden"])
def test_what_is_never_served_is_refused_in_words(custody, split, name, why):
    with pytest.raises(InputError, match=why) as caught:
        custody.part(split, SEED, ("hours", name))
    assert caught.value.place.field == "asks.inputs"
    assert caught.value.expected is not None
    assert caught.value.expected.en == "temperature, site, hours"


def test_every_split_can_be_parted(custody, pack):
    dealt = deal(pack, pumps())
    for split in ("sample", "diagnostic", "hidden"):
        assert len(custody.part(split, SEED, INPUTS).requests.ids) == dealt.rows[split] == custody.rows(split)
    assert table_digest(custody.public_sample()) == table_digest(dealt.tables["sample"])


@pytest.mark.usefixtures("custody")
def test_a_hidden_table_that_the_scenario_does_not_commit_to_is_refused(pack, tmp_path):
    for path in (tmp_path / "pack/hidden").iterdir():
        path.unlink()
    (tmp_path / "pack/hidden").rmdir()
    write_table(tmp_path / "pack/hidden", deal(pack, pumps(seed=9)).tables["hidden"])
    with pytest.raises(InputError, match="not what the scenario commits to") as caught:
        Custody.open(tmp_path / "pack/binding.toml", pack)
    assert caught.value.expected is not None
    assert caught.value.expected.en == pack.data.hidden


@pytest.mark.parametrize("target", ["binding.toml", "hidden", "sample"])
@pytest.mark.usefixtures("custody")
def test_data_that_others_can_read_is_refused(pack, tmp_path, target):
    path = tmp_path / "pack" / target
    path.chmod(path.stat().st_mode | 0o040)
    with pytest.raises(InputError, match="open to other users"):
        Custody.open(tmp_path / "pack/binding.toml", pack)


BINDINGS = {
    "binding-absolute-path.toml": "must name the folder",
    "binding-another-scenario.toml": "of another scenario",
    "binding-another-version.toml": "of another scenario",
    "binding-path-upwards.toml": "must name the folder",
    "binding-schema-2.toml": "not a document that this release can read",
    "binding-unknown-field.toml": "unknown field",
    "binding-without-hidden.toml": "must name the folder",
}


def test_every_bad_binding_is_known():
    assert {path.name for path in BAD.glob("*.toml")} == set(BINDINGS)


@pytest.mark.parametrize("name", sorted(BINDINGS))
@pytest.mark.usefixtures("custody")
def test_bad_binding_is_refused_for_its_own_fault(pack, tmp_path, name):
    binding = tmp_path / "pack/binding.toml"
    binding.write_bytes((BAD / name).read_bytes())
    with pytest.raises(InputError, match=BINDINGS[name]):
        Custody.open(binding, pack)


@pytest.mark.usefixtures("custody")
def test_a_linked_folder_is_refused(pack, tmp_path):
    (tmp_path / "pack/hidden").rename(tmp_path / "elsewhere")
    (tmp_path / "pack/hidden").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="must name the folder"):
        Custody.open(tmp_path / "pack/binding.toml", pack)


def test_nothing_installed_says_how_to_install(pack):
    with pytest.raises(InputError, match="pilotbase scenarios install"):
        Custody.open(Path("no/such/binding.toml"), pack)


@pytest.mark.usefixtures("custody")
def test_a_target_vocabulary_of_three_words_is_refused(pack, tmp_path):
    columns = tuple(
        msgspec.structs.replace(column, vocabulary=("no", "yes", "unknown")) if column.name == "failed" else column
        for column in pack.contract.columns
    )
    three = msgspec.structs.replace(pack, contract=msgspec.structs.replace(pack.contract, columns=columns))
    with pytest.raises(InputError, match="exactly two words"):
        Custody.open(tmp_path / "pack/binding.toml", three).part("hidden", SEED, ())
