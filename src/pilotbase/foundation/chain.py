"""The chain of events: how one event's bytes commit to all before it.

The store appends such bytes, ``verify`` checks them; neither may know the other. An event holds ids, digests and
numbers, never names or free text, so that people can be erased without breaking the chain. FORMATS section 6.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.foundation.canonical import Json, canonical_bytes
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import FaultError, InputError
from pilotbase.foundation.text import Text, printable

SCHEMA = "pilotbase/event/1"
ORIGIN = "0" * 64  # what the first event of a chain links to


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to a pilot."""

    pilot: str  # UUIDv7
    seq: int  # 1, 2, 3, ...
    at: str  # RFC 3339, UTC, microseconds; informative: order is by seq
    kind: str  # for example ``plan.sealed``
    body: dict[str, Json]
    previous: str  # digest of the event before, ORIGIN for the first

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are stored and hashed."""
        return canonical_bytes({
            "schema": SCHEMA, "pilot": self.pilot, "seq": self.seq, "at": self.at, "kind": self.kind,
            "body": self.body, "previous": self.previous,
        })  # fmt: skip

    @property
    def digest(self) -> str:
        """The event's own digest: what the next event links to."""
        return sha256(self.to_bytes())


def read_event(data: bytes) -> Event:
    """Read one event from its stored bytes. Raises InputError if they are not exactly those of an event."""
    try:
        fields = json.loads(data)
        schema = fields.pop("schema")
        event = Event(**fields)
        same = event.to_bytes() == data
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, FaultError) as error:
        raise InputError(_NOT_AN_EVENT, found=printable(repr(data[:80]))) from error
    if schema != SCHEMA or not same or not _is_typed(event):
        raise InputError(_NOT_AN_EVENT, found=printable(repr(data[:80])))
    return event


def _is_typed(event: Event) -> bool:
    """Whether every field has its type; ``true`` is no number, though Python takes it for one."""
    texts = (event.pilot, event.at, event.kind, event.previous)
    return all(isinstance(text, str) for text in texts) and type(event.seq) is int and isinstance(event.body, dict)


_NOT_AN_EVENT = Text(zh="这几字节不是一条规范的台账事件", en="these bytes are not one canonical ledger event")


def read_chain(lines: Sequence[bytes]) -> list[Event]:
    """Read a whole chain and check every link. Raises InputError naming the first event that does not fit."""
    events: list[Event] = []
    previous = ORIGIN
    for number, line in enumerate(lines, start=1):
        event = read_event(line)
        if event.seq != number or event.previous != previous or (events and event.pilot != events[0].pilot):
            raise InputError(
                Text(
                    zh="台账第 {number} 条事件与前文不相连",
                    en="event {number} of the ledger does not link to those before it",
                ).fill(number=number),
                found=f"seq {event.seq}, previous {event.previous[:16]}…",
                expected=Text(zh="序号 {number}，前一条 {previous}…", en="seq {number}, previous {previous}…").fill(
                    number=number, previous=previous[:16]
                ),
            )
        previous = sha256(line)
        events.append(event)
    return events
