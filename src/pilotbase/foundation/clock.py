"""Time: UTC, RFC 3339, microseconds; and ids that sort by time."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from pilotbase.foundation.errors import InputError
from pilotbase.foundation.text import Text, printable

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Write a moment as ``2026-11-23T08:15:00.000000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_stamp(text: str) -> datetime:
    """Read what ``stamp`` wrote. Raises InputError for anything else."""
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        moment = None
    if moment is None or stamp(moment) != text:
        raise InputError(
            Text(zh="不是规范的时间", en="this is not a time as it must be written"),
            found=printable(text),
            expected=Text(zh="2026-11-23T08:15:00.000000Z", en="2026-11-23T08:15:00.000000Z"),
        )
    return moment


def new_id(moment: datetime) -> str:
    """Return a new UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits."""
    milliseconds = int(moment.timestamp() * 1000) & (1 << 48) - 1
    number = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=number))
