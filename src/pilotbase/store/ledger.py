"""The ledger: append-only events of every pilot. The state of a pilot is a fold over them; nothing else is kept.

The primary key (pilot, seq) is the fence: of two writers that both hold event n, one writes n + 1 and the other
fails, drops its result, and folds again. Triggers refuse to change or remove an event, or to leave one out. Whoever
owns the file can still rewrite it: against that stand the signed head in each statement and the log of statements.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from pilotbase.foundation.canonical import Json
from pilotbase.foundation.chain import ORIGIN, Event, read_chain, read_event
from pilotbase.foundation.clock import stamp
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import FaultError, InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.store.database import Tables, append_only

_TABLES = sa.MetaData()
_EVENTS = sa.Table(
    "events",
    _TABLES,
    sa.Column("pilot", sa.String(36), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
)
_TRIGGERS = append_only("events", "NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM events WHERE pilot = NEW.pilot)")


class LostRaceError(FaultError):
    """Another writer has appended first: drop this result and fold the pilot's events again."""


class Ledger(Tables):
    """All pilots' events in one database."""

    def __init__(self, url: str | sa.URL) -> None:
        """Open the ledger, made if missing. Raises UsageError or FaultError as ``Tables``."""
        super().__init__(url, _TABLES, _TRIGGERS)

    def append(self, pilot: str, kind: str, body: dict[str, Json], *, at: datetime, after: int | None = None) -> Event:
        """Append one event, linked to the last; it is durable when this returns.

        Args:
            pilot: the pilot's id.
            kind: for example ``plan.sealed``.
            body: ids, digests and numbers; never names or free text.
            at: when it happened; informative, since order is by ``seq``.
            after: ``seq`` of the last event that the writer has folded (0 = none), so that a worker that lost its
                lease cannot write on from a state it has not seen. None = whatever is last now.

        Raises:
            LostRaceError: another writer has appended since.
            FaultError: the body has no canonical bytes, the last event is damaged, or the database fails.

        """
        with self.transaction() as connection:
            last = self._last(connection, pilot)
            seq, previous = (last.seq, last.digest) if last else (0, ORIGIN)
            if after is not None and after != seq:
                raise _lost(pilot, after + 1)
            event = Event(pilot=pilot, seq=seq + 1, at=stamp(at), kind=kind, body=body, previous=previous)
            data = event.to_bytes()
            row = _EVENTS.insert().values(pilot=pilot, seq=event.seq, digest=sha256(data), bytes=data)
            try:
                connection.execute(row)
            except IntegrityError as error:
                raise _lost(pilot, event.seq) from error
        return event

    def events(self, pilot: str) -> list[Event]:
        """Return a pilot's events in order, every link checked. Raises FaultError if the chain is broken."""
        return self._read(pilot)[1]

    def extract(self, pilot: str) -> bytes:
        """Return the bytes of a pilot's events joined by newlines, every link checked, as a dossier holds them."""
        return b"\n".join(self._read(pilot)[0])

    def head(self, pilot: str) -> str:
        """Return the digest of a pilot's last event, ORIGIN if it has none. Raises FaultError if that is damaged."""
        with self.transaction() as connection:
            last = self._last(connection, pilot)
        return last.digest if last else ORIGIN

    def pilots(self) -> list[str]:
        """Return the ids of all pilots, sorted: with UUIDv7, the oldest first."""
        with self.transaction() as connection:
            return list(connection.scalars(sa.select(_EVENTS.c.pilot).distinct().order_by(_EVENTS.c.pilot)))

    def _last(self, connection: sa.Connection, pilot: str) -> Event | None:
        query = sa.select(_EVENTS).where(_EVENTS.c.pilot == pilot).order_by(_EVENTS.c.seq.desc()).limit(1)
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        try:
            event = read_event(row.bytes)
        except InputError as error:
            raise _damaged(pilot, row.seq, error.found) from error
        if (event.pilot, event.seq, sha256(row.bytes)) != (pilot, row.seq, row.digest):
            raise _damaged(pilot, row.seq, f"{event.pilot} {event.seq}")
        return event

    def _read(self, pilot: str) -> tuple[list[bytes], list[Event]]:
        query = sa.select(_EVENTS).where(_EVENTS.c.pilot == pilot).order_by(_EVENTS.c.seq)
        with self.transaction() as connection:
            rows = connection.execute(query).all()
        lines = [row.bytes for row in rows]
        try:
            events = read_chain(lines)
        except InputError as error:
            raise _damaged(pilot, 0, f"{error.what.en}: {error.found}") from error
        for row, event in zip(rows, events, strict=True):
            if (event.pilot, event.seq, sha256(row.bytes)) != (pilot, row.seq, row.digest):
                raise _damaged(pilot, row.seq, f"{event.pilot} {event.seq}")
        return lines, events


def _lost(pilot: str, seq: int) -> LostRaceError:
    return LostRaceError(
        Text(zh="另一写入者已先写入第 {seq} 条事件", en="another writer has written event {seq} first").fill(seq=seq),
        place=Place(file=pilot),
        remedy=Text(
            zh="请放弃此次结果，重新读取该中试的事件后再继续",
            en="drop this result, read the pilot's events again and go on from them",
        ),
    )


def _damaged(pilot: str, seq: int, found: str) -> FaultError:
    return FaultError(
        Text(
            zh="台账已损坏：事件与其摘要或前文不符",
            en="the ledger is damaged: an event does not fit its digest or link",
        ),
        place=Place(file=pilot, field=f"seq {seq}" if seq else ""),
        found=printable(found),
        remedy=Text(
            zh="请停止写入，从备份恢复台账，并与已签发的档案核对",
            en="stop writing, restore the ledger from a backup, and compare it with dossiers that were issued",
        ),
    )
