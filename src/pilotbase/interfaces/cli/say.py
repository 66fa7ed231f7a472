"""What the command line says: errors on standard error, answers on standard output, in one language."""

from __future__ import annotations

import json
import sys

from pilotbase.foundation.errors import PilotbaseError
from pilotbase.foundation.text import Text
from pilotbase.interfaces.cli.language import chosen


def say(text: Text) -> None:
    """Say one thing."""
    print(text.say(chosen()))


def complain(error: PilotbaseError) -> int:
    """Print an error with its parts; return its exit code."""
    print("\n".join(error.lines(chosen())), file=sys.stderr)
    return error.code


def answer_json(document: object) -> None:
    """Print a machine's answer: one JSON document on standard output."""
    print(json.dumps(document, ensure_ascii=False, indent=1, default=str))
