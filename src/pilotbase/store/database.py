"""The database under ledger, leases and log: SQLite beside the base, PostgreSQL beyond it.

SQLite runs with a write-ahead log and a full flush at every commit: with less, an event that was acknowledged can
vanish when the power fails (SQLite documentation, PRAGMA synchronous). The write-ahead log needs a local disk.
All SQL is SQLAlchemy Core; what only one database knows (pragmas, triggers) stands apart, by dialect.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.schema import CreateTable

from pilotbase.foundation.errors import FaultError, Place, UsageError
from pilotbase.foundation.text import Text, printable
from pilotbase.store.disk import DISK_FULL, FREE_SPACE

PATIENCE: Final = 10_000  # milliseconds to wait for another writer
_PRAGMAS = (f"busy_timeout={PATIENCE}", "synchronous=FULL", "foreign_keys=ON")
_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(7402910)")  # any number, the same for every opener
_DISK_FULL_CODES = ("53100",)  # PostgreSQL SQLSTATE disk_full


def embedded(file: Path) -> sa.URL:
    """Return the URL of the embedded database in this file, whatever signs its path holds."""
    return sa.URL.create("sqlite", database=str(file))


def append_only(table: str, misplaced: str) -> dict[str, tuple[str, ...]]:
    """Return the triggers that keep the rows of a table as they were written.

    Args:
        table: a name from our own source.
        misplaced: SQLite condition over ``NEW`` under which a row may not enter. It also stops INSERT OR REPLACE,
            which would remove a row without firing a trigger for it. On PostgreSQL the primary key is the only guard
            of order, and enough: it has no statement that replaces.

    """
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END"
    raising = f"'BEGIN RAISE EXCEPTION ''{table} are append-only''; END'"
    stops = f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT"
    return {
        "sqlite": (
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} {refuse}",
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} {refuse}",
            f"CREATE TRIGGER IF NOT EXISTS {table}_in_order BEFORE INSERT ON {table} WHEN {misplaced} {refuse}",
        ),
        "postgresql": (
            f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS {raising}",
            f"CREATE OR REPLACE TRIGGER {table}_append_only {stops} EXECUTE FUNCTION {table}_refuse()",
        ),
    }


class Tables:
    """Some tables of one database. Made where they are missing; to be closed, or used in a ``with`` block."""

    def __init__(self, url: str | sa.URL, tables: sa.MetaData, triggers: Mapping[str, Sequence[str]]) -> None:
        """Open the database. Raises UsageError for a URL that cannot be used, FaultError if the database fails.

        Args:
            url: ``sqlite:////path`` (``embedded``) or ``postgresql+psycopg://...``.
            tables: what to make where it is missing.
            triggers: dialect name -> statements that may be run any number of times.

        """
        self._engine = _engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _tune_sqlite)
        with self.transaction() as connection:
            if self._engine.dialect.name == "postgresql":
                connection.execute(_ONE_AT_A_TIME)  # its CREATE ... IF NOT EXISTS fails when two run it at once
            for table in tables.sorted_tables:
                connection.execute(CreateTable(table, if_not_exists=True))
            for statement in triggers.get(self._engine.dialect.name, ()):
                connection.execute(sa.DDL(statement))

    def close(self) -> None:
        """Let go of the database's files."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Generator[sa.Connection]:
        """Run the block in one transaction, durable when it ends.

        Raises FaultError in words when the database fails; IntegrityError passes, for the caller knows its keys.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise _fault(error, self._engine.url) from error


def _engine(url: str | sa.URL) -> sa.Engine:
    try:
        engine = sa.create_engine(url)
    except (ArgumentError, ImportError) as error:
        raise UsageError(_NO_DATABASE, found=printable(str(error)), expected=_KNOWN) from error
    in_memory = engine.dialect.name == "sqlite" and engine.url.database in (None, "", ":memory:")
    if engine.dialect.name not in ("sqlite", "postgresql") or in_memory:
        raise UsageError(_NO_DATABASE, found=engine.url.render_as_string(), expected=_KNOWN)
    return engine


_NO_DATABASE = Text(zh="此数据库不能用作台账", en="this database cannot hold a ledger")
_KNOWN = Text(zh="SQLite 文件，或 PostgreSQL", en="an SQLite file, or PostgreSQL")


def _tune_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    mode = _start_write_ahead_log(connection)
    if mode != "wal":
        raise FaultError(
            Text(zh="台账所在的文件系统不支持预写日志", en="the ledger's file system cannot hold a write-ahead log"),
            found=f"journal_mode={mode}",
            remedy=Text(zh="请把状态文件夹放到本地磁盘", en="put the state folder on a local disk"),
        )


def _start_write_ahead_log(connection: sqlite3.Connection) -> str:
    """Switch a database over, once in its life; return the mode it is in.

    When two processes open a new database at once, SQLite refuses one of them without waiting, whatever the
    busy_timeout (seen in 37 of 300 openings). So the waiting is done here.
    """
    end = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            return connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.005)


def _fault(error: DBAPIError, url: sa.URL) -> FaultError:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    if code == sqlite3.SQLITE_FULL or getattr(error.orig, "sqlstate", "") in _DISK_FULL_CODES:
        what, remedy = DISK_FULL, FREE_SPACE
    elif code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        what, remedy = _BUSY, _WAIT
    else:
        what, remedy = _FAILED, _CHECK
    kept = Text(zh="{what}；已写入台账的事件都完好", en="{what}; what was acknowledged before is whole").fill(what=what)
    return FaultError(
        kept,
        place=Place(file=url.render_as_string()),
        found=printable(str(error.orig)),
        remedy=remedy,
    )


_BUSY = Text(zh="另一程序一直占用数据库", en="another program keeps the database busy")
_WAIT = Text(zh="请等它结束后重试", en="wait until it ends, then try again")
_FAILED = Text(zh="数据库无法使用", en="the database cannot be used")
_CHECK = Text(
    zh="请检查文件夹是否存在、权限、剩余空间与所在磁盘",
    en="check that the folder exists, its rights, free space and disk",
)
