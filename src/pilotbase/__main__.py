"""``python -m pilotbase``."""

from __future__ import annotations

import sys

from pilotbase.interfaces.cli import main

if __name__ == "__main__":
    sys.exit(main())
