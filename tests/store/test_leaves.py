"""The log's leaves: in order, each once, whoever writes."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa

from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import FaultError
from pilotbase.store.database import embedded
from pilotbase.store.leaves import Leaves

DIGESTS = [sha256(bytes([number])) for number in range(5)]


@pytest.fixture
def leaves(file):
    with Leaves(embedded(file)) as made:
        yield made


def test_leaves_stand_in_the_order_in_which_they_came(leaves):
    assert leaves.leaves() == []
    assert [leaves.append_leaf(digest) for digest in DIGESTS] == [0, 1, 2, 3, 4]
    assert leaves.leaves() == DIGESTS


def test_a_statement_has_one_leaf_however_often_the_step_is_run(leaves):
    for digest in DIGESTS[:3]:
        leaves.append_leaf(digest)
    assert leaves.append_leaf(DIGESTS[1]) == 1
    assert leaves.leaves() == DIGESTS[:3]


@pytest.mark.parametrize("digest", ["", "abc", DIGESTS[0].upper(), DIGESTS[0] + "\n", DIGESTS[0] + "0"])
def test_what_is_no_digest_is_refused(leaves, digest):
    with pytest.raises(FaultError):
        leaves.append_leaf(digest)
    assert leaves.leaves() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaves SET digest = 'x'",
        "DELETE FROM leaves",
        "INSERT OR REPLACE INTO leaves VALUES (1, 'x')",
        "INSERT INTO leaves VALUES (7, 'x')",
        'INSERT OR REPLACE INTO leaves SELECT 2, digest FROM leaves WHERE "index" = 0',
    ],
)
def test_nothing_is_changed_removed_or_left_out(leaves, statement):
    leaves.append_leaf(DIGESTS[0])
    leaves.append_leaf(DIGESTS[1])
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), leaves.transaction() as connection:
        connection.exec_driver_sql(statement)
    assert leaves.leaves() == DIGESTS[:2]


def test_a_missing_leaf_is_told(leaves, file):
    for digest in DIGESTS[:3]:
        leaves.append_leaf(digest)
    connection = sqlite3.connect(file)
    connection.execute("DROP TRIGGER leaves_no_delete")
    connection.execute('DELETE FROM leaves WHERE "index" = 1')
    connection.commit()
    connection.close()
    with pytest.raises(FaultError, match="missing"):
        leaves.leaves()


WRITER = """
import os, sys, time
from pathlib import Path
from pilotbase.foundation.digests import sha256
from pilotbase.store.database import embedded
from pilotbase.store.leaves import Leaves
with Leaves(embedded(Path(sys.argv[1]))) as leaves:
    print("ready", flush=True)
    while not os.path.exists(sys.argv[2]): time.sleep(0.001)
    print(*[leaves.append_leaf(sha256(f"{sys.argv[3]} {number}".encode())) for number in range(40)])
"""


def test_two_processes_get_numbers_of_their_own(file, start, tmp_path):
    gate = tmp_path / "gate"
    processes = [start(WRITER, file, gate, name) for name in ("a", "b")]
    assert [process.stdout.readline() for process in processes] == ["ready\n", "ready\n"]
    gate.touch()
    told = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in told] == ["", ""]
    numbers = [[int(number) for number in out.split()] for out, _ in told]
    assert sorted(numbers[0] + numbers[1]) == list(range(80))
    with Leaves(embedded(file)) as leaves:
        kept = leaves.leaves()
    for name, mine in zip("ab", numbers, strict=True):
        assert [kept[index] for index in mine] == [sha256(f"{name} {number}".encode()) for number in range(40)]
