"""Install locked wheels into a folder, without network. Runs inside a cell, as one file given by descriptor.

Usage   install.py OUT PIP WHEELS LOCK       PIP is the folder of the pip package
"""

# ruff: noqa: PTH103, PTH118, PTH120
# One bare file: no pathlib.

from __future__ import annotations

import os
import runpy
import shutil
import sys

OPTIONS = (
    "--isolated",
    "--disable-pip-version-check",
    "--no-input",
    "--no-color",
    "--quiet",
    "install",
    "--no-index",
    "--only-binary=:all:",
    "--require-hashes",
    "--no-cache-dir",
    "--no-warn-script-location",
    "--root-user-action=ignore",
)


def main(out: str, pip: str, wheels: str, lock: str) -> None:
    """Run pip, its own scratch on the same file system as its target, so that files are moved and not copied."""
    space = os.path.join(out, ".space")
    os.makedirs(space)
    os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), space))
    sys.path.insert(0, os.path.dirname(pip))
    sys.argv = ["pip", *OPTIONS, "--find-links", wheels, "--target", out, "-r", lock]
    try:
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
    finally:
        shutil.rmtree(space, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
