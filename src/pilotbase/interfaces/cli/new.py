"""``new``: a candidate's folder from a model or a function."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pilotbase.base import verbs
from pilotbase.foundation.text import Text
from pilotbase.interfaces.cli.say import say
from pilotbase.interfaces.cli.words import Lang, PackName, told


def candidate(
    folder: Path,
    /,
    *,
    scenario: PackName,
    source: Annotated[
        str,
        Parameter(name="--from", help=told("model.onnx，或 predict.py:函数名", "model.onnx, or predict.py:function")),
    ],
    lang: Lang = None,
) -> int:
    """Write a candidate's folder for SCENARIO from a model file or a Python function."""
    del lang
    written = verbs.new_candidate(source, folder, scenario)
    for path in written:
        print(path)
    say(_NEXT.fill(folder=folder, scenario=scenario))
    return 0


def lock(wheels: Path, out: Path, /, *, lang: Lang = None) -> int:
    """Write OUT, a requirements.lock, from the folder WHEELS that ``pip download`` filled. Needs no network."""
    del lang
    say(_LOCKED.fill(path=out, count=verbs.lock(wheels, out)))
    return 0


_LOCKED = Text(zh="已锁定 {count} 个包：{path}", en="locked {count} packages: {path}")

_NEXT = Text(
    zh="接下来：填写 candidate.toml 中的说明，按 requirements.lock 里的提示锁定依赖，然后运行\n"
    "  pilotbase rehearse {scenario} {folder}",
    en="Next: fill in candidate.toml, lock the requirements as requirements.lock says, then run\n"
    "  pilotbase rehearse {scenario} {folder}",
)
