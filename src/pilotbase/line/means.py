"""What the line works with: a base's keys, ledger, folders and clock; and whom it tells how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pilotbase.evidence.keys import KeyRing, SigningKey
from pilotbase.foundation.canonical import Json
from pilotbase.foundation.chain import Event
from pilotbase.foundation.clock import Clock
from pilotbase.foundation.text import Text
from pilotbase.pilot.scenario import StageName
from pilotbase.store.blobs import Blobs
from pilotbase.store.home import Home
from pilotbase.store.leases import Leases
from pilotbase.store.leaves import Leaves
from pilotbase.store.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """One base, opened for work."""

    home: Home
    ledger: Ledger
    leases: Leases
    leaves: Leaves
    blobs: Blobs
    key: SigningKey
    ring: KeyRing
    """Public keys that this base trusts, its own included."""
    secret: bytes
    """32 bytes from which the order of hidden rows is derived; never leaves the base."""
    clock: Clock


class Pen:
    """The right to append to one pilot's chain, from the last event that its holder has read.

    A worker that lost its lease and writes late is refused: its pen does not know what was appended since.
    """

    def __init__(self, means: Means, pilot: str, owner: str) -> None:
        """Read the pilot's events; none for a new pilot. ``owner`` holds its lease."""
        self.pilot = pilot
        self.events: tuple[Event, ...] = tuple(means.ledger.events(pilot))
        self._means, self._owner = means, owner

    def enter(self, kind: str, body: Mapping[str, Json]) -> None:
        """Append an event and renew the lease. Raises LostRaceError if another worker has appended since."""
        seq, means = len(self.events), self._means
        event = means.ledger.append(self.pilot, kind, dict(body), at=means.clock(), after=seq)
        self.events = (*self.events, event)
        means.leases.renew(self.pilot, self._owner, LEASE)

    def bodies(self, kind: str) -> list[dict[str, Json]]:
        """Return the bodies of all events of one kind."""
        return [dict(event.body) for event in self.events if event.kind == kind]


LEASE = 3600.0  # seconds for which one worker holds a pilot; renewed with every event


class Watch(Protocol):
    """Who is told how far a run is: a terminal, a log, nobody."""

    def stage(self, stage: StageName, rows: int) -> None:
        """Say that a stage begins, with the number of rows that it will show."""

    def advance(self, rows: int) -> None:
        """Say how many rows of the stage are done."""

    def note(self, text: Text) -> None:
        """Say something that a person should read."""


class Unwatched:
    """Nobody is told."""

    def stage(self, stage: StageName, rows: int) -> None:
        """Tell nobody."""

    def advance(self, rows: int) -> None:
        """Tell nobody."""

    def note(self, text: Text) -> None:
        """Tell nobody."""
