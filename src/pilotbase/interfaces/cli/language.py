"""Which language a person is spoken to in: ``--lang`` if given, else that of the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextvars import ContextVar

from pilotbase.foundation.text import Language

_WORDS: ContextVar[Sequence[str] | None] = ContextVar("words of the command", default=None)


def hear(words: Sequence[str] | None) -> None:
    """Take these as the words of the command; None = those of the process."""
    _WORDS.set(words)


def chosen() -> Language:
    """Return the language of this command."""
    heard = _WORDS.get()
    arguments = sys.argv[1:] if heard is None else heard
    for number, word in enumerate(arguments):
        value = word.partition("=")[2] if word.startswith("--lang=") else ""
        if word == "--lang" and number + 1 < len(arguments):
            value = arguments[number + 1]
        if value == "zh":
            return "zh"
        if value == "en":
            return "en"
    told = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if told.lower().startswith("zh") else "en"
