"""The database: how it is opened, which are refused, and that trouble comes in words."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from pilotbase.foundation.errors import FaultError, UsageError
from pilotbase.store import leases, leaves, ledger
from pilotbase.store.database import PATIENCE, Tables, append_only, embedded

TABLES = sa.MetaData()
NOTES = sa.Table("notes", TABLES, sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.String(9)))
TRIGGERS = append_only("notes", "NEW.id < 0")


def opened(file) -> Tables:
    return Tables(embedded(file), TABLES, TRIGGERS)


def test_every_connection_flushes_fully_and_waits_for_others(file):
    with opened(file) as tables, tables.transaction() as one, tables.transaction() as other:
        for connection in (one, other):
            told = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS]
            assert dict(zip(PRAGMAS, told, strict=True)) == PRAGMAS


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": PATIENCE, "foreign_keys": 1}  # 2 = FULL


def test_the_file_lies_exactly_where_it_was_asked_for(file):
    with opened(file):
        pass
    assert file.is_file()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_opening_again_keeps_what_is_there(file):
    with opened(file) as tables, tables.transaction() as connection:
        connection.execute(NOTES.insert().values(id=1, text="x"))
    with opened(file) as tables, tables.transaction() as connection:
        assert connection.execute(sa.select(NOTES)).all() == [(1, "x")]


def write_then_fail(tables: Tables) -> None:
    with tables.transaction() as connection:
        connection.execute(NOTES.insert().values(id=1, text="x"))
        raise ZeroDivisionError


def test_a_failing_block_leaves_nothing(file):
    with opened(file) as tables:
        with pytest.raises(ZeroDivisionError):
            write_then_fail(tables)
        with tables.transaction() as connection:
            assert connection.execute(sa.select(NOTES)).all() == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hello",
        "sqlite://",
        "sqlite:///:memory:",
        "oracle://x/y",
        "mysql://u:word@h/d",
        "nosuch:///x",
        "postgresql+nosuch://h/d",
    ],
)
def test_what_cannot_hold_a_ledger_is_refused_without_its_password(url):
    with pytest.raises(UsageError) as caught:
        Tables(url, TABLES, {})
    assert caught.value.expected is not None
    assert "word" not in str(caught.value)


def test_a_missing_folder_is_a_fault_in_words(tmp_path):
    with pytest.raises(FaultError) as caught:
        opened(tmp_path / "no" / "x.sqlite")
    assert "x.sqlite" in str(caught.value.place)
    assert caught.value.remedy is not None


def test_a_file_that_is_no_database_is_a_fault_and_is_left_alone(file):
    file.write_bytes(b"this is no database, but long enough to look at" * 20)
    before = file.read_bytes()
    with pytest.raises(FaultError, match="cannot be used"):
        opened(file)
    assert file.read_bytes() == before


def test_a_database_kept_busy_is_a_fault_that_says_so(file):
    with opened(file) as tables:
        with tables.transaction() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=50")  # stays with the one pooled connection
        blocker = sqlite3.connect(file, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(FaultError, match="busy"), tables.transaction() as connection:
            connection.execute(NOTES.insert().values(id=1, text="x"))
        blocker.close()
        with tables.transaction() as connection:
            connection.execute(NOTES.insert().values(id=1, text="x"))


OPENER = """
import os, sys, time
from pathlib import Path
from pilotbase.store.database import embedded
from pilotbase.store.ledger import Ledger
folder, names, me = Path(sys.argv[1]), ("a", "b"), sys.argv[2]
for number in range(25):
    (folder / f"{me} at {number}").touch()
    while not all(os.path.exists(folder / f"{name} at {number}") for name in names): time.sleep(0.0005)
    Ledger(embedded(folder / f"{number}.sqlite")).close()
"""


def test_two_processes_may_open_a_new_database_at_once(tmp_path, start):
    for process in [start(OPENER, tmp_path, name) for name in ("a", "b")]:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    "statement", ["UPDATE notes SET text = 'y'", "DELETE FROM notes", "INSERT INTO notes VALUES (-1, 'z')"]
)
def test_rows_that_are_append_only_stay(file, statement):
    with opened(file) as tables:
        with tables.transaction() as connection:
            connection.execute(NOTES.insert().values(id=1, text="x"))
        with pytest.raises(sa.exc.IntegrityError, match="append-only"), tables.transaction() as connection:
            connection.exec_driver_sql(statement)
        with tables.transaction() as connection:
            assert connection.execute(sa.select(NOTES)).all() == [(1, "x")]


@pytest.mark.parametrize("room", [ledger, leaves, leases], ids=lambda room: room.__name__.rpartition(".")[2])
def test_every_table_can_be_written_for_postgresql_too(room):
    for table in room._TABLES.sorted_tables:
        made = str(CreateTable(table, if_not_exists=True).compile(dialect=postgresql.dialect()))
        assert "CREATE TABLE IF NOT EXISTS" in made
        assert "SERIAL" not in made  # numbers are ours, never the database's
