"""Text in both languages of the house, kept side by side so that neither can be forgotten.

A ``Text`` is written where it is used; a test reads every ``Text(...)`` of the source and compares the two
languages (both present, the same placeholders). See docs/adr/0004.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence or label, in Chinese and in English."""

    zh: str
    en: str

    def say(self, language: Language) -> str:
        """Return the text in one language."""
        return self.zh if language == "zh" else self.en

    def fill(self, **values: object) -> Text:
        """Put values into the placeholders; a ``Text`` value enters in its own language each time."""
        return Text(zh=self.zh.format(**_spoken(values, "zh")), en=self.en.format(**_spoken(values, "en")))


def _spoken(values: dict[str, object], language: Language) -> dict[str, object]:
    return {name: value.say(language) if isinstance(value, Text) else value for name, value in values.items()}


def printable(raw: str, limit: int = 200) -> str:
    """Make foreign text safe to print: control and direction-changing characters become escapes, length is capped.

    Candidates, uploads and data are hostile: a terminal or a page must never act on what they wrote.
    """
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in raw[:limit]
    )
    return shown if len(raw) <= limit else f"{shown}…"
