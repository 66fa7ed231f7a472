"""The leaves of the base's transparency log: the digests of all statements, in the order in which they were issued.

Proofs over them are in ``evidence/log``. A statement has one leaf, however often the step that adds it is run.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from pilotbase.foundation.errors import FaultError
from pilotbase.foundation.text import Text, printable
from pilotbase.store.database import Tables, append_only

_TABLES = sa.MetaData()
_LEAVES = sa.Table(
    "leaves",
    _TABLES,
    sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
)
_TRIGGERS = append_only(
    "leaves",
    'NEW."index" <> (SELECT coalesce(max("index"), -1) + 1 FROM leaves) '
    "OR EXISTS (SELECT 1 FROM leaves WHERE digest = NEW.digest)",
)
_TRIES = 16  # writers that may come first before this is a fault
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Leaves(Tables):
    """The leaves of one log."""

    def __init__(self, url: str | sa.URL) -> None:
        """Open the log, made if missing. Raises UsageError or FaultError as ``Tables``."""
        super().__init__(url, _TABLES, _TRIGGERS)

    def append_leaf(self, statement_digest: str) -> int:
        """Add a statement and return its index, counted from 0; the old index if it is there already.

        Raises FaultError if this is no digest or the database fails.
        """
        if not _DIGEST.fullmatch(statement_digest):
            raise FaultError(Text(zh="这不是摘要", en="this is not a digest"), found=printable(statement_digest))
        for _ in range(_TRIES):
            index = self._index(statement_digest)
            if index is not None:
                return index
            self._try_append(statement_digest)
        raise FaultError(Text(zh="日志写入者过多", en="too many writers at the log"), found=str(_TRIES))

    def leaves(self) -> list[str]:
        """Return the statement digests in log order. Raises FaultError if an index is missing."""
        with self.transaction() as connection:
            rows = connection.execute(sa.select(_LEAVES).order_by(_LEAVES.c.index)).all()
        if [row.index for row in rows] != list(range(len(rows))):
            raise FaultError(Text(zh="日志已损坏：缺少叶子", en="the log is damaged: a leaf is missing"))
        return [row.digest for row in rows]

    def _index(self, digest: str) -> int | None:
        with self.transaction() as connection:
            return connection.scalar(sa.select(_LEAVES.c.index).where(_LEAVES.c.digest == digest))

    def _try_append(self, digest: str) -> None:
        """Add the leaf in one statement; another writer may come first, then nothing is added."""
        count = sa.select(sa.func.coalesce(sa.func.max(_LEAVES.c.index), -1) + 1, sa.literal(digest))
        try:
            with self.transaction() as connection:
                connection.execute(_LEAVES.insert().from_select(["index", "digest"], count))
        except IntegrityError:
            return
