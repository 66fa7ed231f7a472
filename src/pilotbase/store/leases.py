"""Leases: which worker does a pilot's next step. A worker that dies lets go by itself, when its time is over.

A lease saves double work; it does not guard the ledger (that is the fence in ``ledger``). So a clock that jumps, or
a worker that sleeps past its lease, costs time and never an event.
"""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from pilotbase.foundation.clock import Clock, system_clock
from pilotbase.store.database import Tables

_TABLES = sa.MetaData()
_LEASES = sa.Table(
    "leases",
    _TABLES,
    sa.Column("pilot", sa.String(36), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),  # microseconds since 1970, UTC
)


class Leases(Tables):
    """The leases of all pilots."""

    def __init__(self, url: str | sa.URL, clock: Clock = system_clock) -> None:
        """Open the leases, made if missing. Raises UsageError or FaultError as ``Tables``."""
        super().__init__(url, _TABLES, {})
        self._clock = clock

    def claim(self, pilot: str, owner: str, seconds: float) -> bool:
        """Take a pilot for some seconds; False if another worker has it.

        A lease is free when its time is over, or when its owner ran on this machine and is gone.
        """
        holder = self.holder(pilot)
        gone = holder if holder and is_gone(holder) else owner
        until = self._until(seconds)
        # Each of the two is one statement, so that one of any number of workers gets it: a SELECT before an UPDATE
        # would not do on SQLite, where SQLAlchemy leaves FOR UPDATE out.
        try:
            with self.transaction() as connection:
                connection.execute(_LEASES.insert().values(pilot=pilot, owner=owner, until=until))
        except IntegrityError:
            free = (_LEASES.c.until <= self._until(0)) | _LEASES.c.owner.in_([owner, gone])
            with self.transaction() as connection:
                taken = connection.execute(
                    _LEASES.update().where(_LEASES.c.pilot == pilot, free).values(owner=owner, until=until)
                )
            return taken.rowcount == 1
        return True

    def renew(self, pilot: str, owner: str, seconds: float) -> bool:
        """Hold a pilot for some seconds from now; False if another worker has taken it since."""
        mine = (_LEASES.c.pilot == pilot) & (_LEASES.c.owner == owner)
        with self.transaction() as connection:
            kept = connection.execute(_LEASES.update().where(mine).values(until=self._until(seconds)))
        return kept.rowcount == 1

    def release(self, pilot: str, owner: str) -> None:
        """Let go of a pilot; a lease that another worker has taken since stays theirs."""
        mine = (_LEASES.c.pilot == pilot) & (_LEASES.c.owner == owner)
        with self.transaction() as connection:
            connection.execute(_LEASES.delete().where(mine))

    def holder(self, pilot: str) -> str | None:
        """Return the owner whose time is not over, None if the pilot is free."""
        held = sa.select(_LEASES.c.owner).where(_LEASES.c.pilot == pilot, _LEASES.c.until > self._until(0))
        with self.transaction() as connection:
            return connection.scalar(held)

    def _until(self, seconds: float) -> int:
        return round((self._clock().timestamp() + seconds) * 1_000_000)


def this_owner() -> str:
    """Return this process as an owner: machine, process id, and a token that no later process repeats."""
    return f"{_machine()} {os.getpid()} {_start(os.getpid()) or secrets.token_hex(8)}"


def is_gone(owner: str) -> bool:
    """Whether an owner is a process of this machine that has ended; False if that cannot be told from here."""
    machine, _, process = owner.rpartition(" ")[0].rpartition(" ")
    if machine != _machine() or not _start(os.getpid()) or not process.isdecimal():
        return False
    return _start(int(process)) != owner.rpartition(" ")[2]


def _machine() -> str:
    """Name the space in which process ids mean something: host, boot and, on Linux, process namespace."""
    return f"{socket.gethostname()}/{_line('/proc/sys/kernel/random/boot_id')}/{_space()}"


def _space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _start(process: int) -> str:
    """Return when a process started, in clock ticks since boot (proc(5), stat field 22); "" if there is none."""
    fields = _line(f"/proc/{process}/stat").rpartition(")")[2].split()  # the name before may hold blanks and brackets
    return fields[19] if fields and fields[0] not in ("Z", "X") else ""


def _line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
