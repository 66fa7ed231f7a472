"""Errors that say where, what was found, what was expected and how to mend it, in both languages.

Four families, one for each exit code a person can act on (FORMATS section 8). A wrong dossier is not an error
but an answer of ``verify``; a failing candidate is not an error but a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pilotbase.foundation.text import Language, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a fault lies: as much as is known."""

    file: str = ""  # path as the person gave it
    field: str = ""  # dotted path inside the document, for example ``stages[1].criteria[0].threshold``
    line: int = 0  # counted from 1; 0 = unknown

    def __str__(self) -> str:
        """Return ``file:line field``, leaving out what is not known."""
        spot = f"{self.file}:{self.line}" if self.file and self.line else self.file
        return " ".join(part for part in (spot, self.field) if part)


NOWHERE = Place()


class PilotbaseError(Exception):
    """The mother of all errors that this house raises on purpose."""

    code: ClassVar[int] = 70  # exit code, FORMATS section 8
    kind: ClassVar[Text] = Text(zh="内部错误", en="internal error")

    def __init__(
        self,
        what: Text,
        *,
        place: Place = NOWHERE,
        found: str = "",
        expected: Text | None = None,
        remedy: Text | None = None,
    ) -> None:
        """Keep the parts apart, so that a page, a terminal and a JSON reply can each lay them out."""
        super().__init__(what.en)
        self.what = what
        self.place = place
        self.found = found
        self.expected = expected
        self.remedy = remedy

    def lines(self, language: Language) -> list[str]:
        """Return the message for a person: one line per part that is known."""
        rows = [(_WHERE, str(self.place)), (_FOUND, self.found), (_EXPECTED, self.expected), (_REMEDY, self.remedy)]
        told = [(label, value.say(language) if isinstance(value, Text) else value) for label, value in rows if value]
        return [f"{self.kind.say(language)}: {self.what.say(language)}"] + [
            f"  {label.say(language)}: {value}" for label, value in told
        ]

    def __str__(self) -> str:
        """Return the English message with all its parts."""
        return "\n".join(self.lines("en"))


_WHERE = Text(zh="位置", en="where")
_FOUND = Text(zh="实际", en="found")
_EXPECTED = Text(zh="应为", en="expected")
_REMEDY = Text(zh="处理", en="remedy")


class UsageError(PilotbaseError):
    """The words of the command do not fit together."""

    code = 64
    kind = Text(zh="用法错误", en="usage error")


class InputError(PilotbaseError):
    """A file that a person or a program wrote cannot be used as it is."""

    code = 65
    kind = Text(zh="输入有误", en="bad input")


class IsolationError(PilotbaseError):
    """The isolation that a pilot needs cannot be had on this machine."""

    code = 69
    kind = Text(zh="隔离条件不足", en="isolation refused")


class FaultError(PilotbaseError):
    """The platform itself failed: a full disk, a broken ledger, a bug."""


class Interrupted(PilotbaseError):  # noqa: N818 - an interruption is not an error
    """A person stopped the run; the ledger keeps what was done."""

    code = 130
    kind = Text(zh="已中断", en="interrupted")
