"""What the command line says: errors on standard error, answers on standard output, in one language."""

from __future__ import annotations

import json
import sys

from pilotbase.foundation.errors import PilotbaseError
from pilotbase.foundation.text import Text, printable
from pilotbase.interfaces.cli.language import chosen

_LONGEST = 4000  # characters of one line


def say(text: Text) -> None:
    """Say one thing."""
    print(text.say(chosen()))


def complain(error: PilotbaseError) -> int:
    """Print an error with its parts, nothing of them raw; return its exit code."""
    for line in error.lines(chosen()):
        print(printable(line, _LONGEST), file=sys.stderr)
    return error.code


def answer_json(document: object) -> None:
    """Print a machine's answer: one JSON document on standard output."""
    print(json.dumps(document, ensure_ascii=False, indent=1, default=str))
