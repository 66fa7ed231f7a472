"""Which language a person is spoken to in: ``--lang`` if given, else that of the environment."""

from __future__ import annotations

import os
import sys

from pilotbase.foundation.text import Language


def chosen() -> Language:
    """Return the language of this command."""
    arguments = sys.argv[1:]
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
