"""``doctor``: what this machine can isolate, confirmed by probing from inside a cell."""

from __future__ import annotations

from pilotbase.base import verbs
from pilotbase.foundation.errors import IsolationError
from pilotbase.foundation.text import Text
from pilotbase.interfaces.cli.language import chosen
from pilotbase.interfaces.cli.say import answer_json, say
from pilotbase.interfaces.cli.screen import table
from pilotbase.interfaces.cli.words import Json, Lang
from pilotbase.pilot.document import to_tree


def doctor(*, lang: Lang = None, json: Json = False) -> int:
    """Test the isolation of this machine and say what is missing and how to mend it. 0 full, 69 not."""
    del lang
    found = verbs.examine()
    whole = all(layer.present for layer in found.layers if layer.required)
    if json:
        answer_json(to_tree(found) | {"whole": whole})
        return 0 if whole else IsolationError.code
    rows = [
        (
            layer.name,
            ("✓" if layer.present else "✗") + ("" if layer.required else " " + _OPTIONAL.say(chosen())),
            layer.detail.say(chosen()),
            layer.remedy.say(chosen()) if layer.remedy and not layer.present else "",
        )
        for layer in found.layers
    ]
    table(_HEAD, rows)
    print()
    print(f"kernel {found.kernel}  bubblewrap {found.bubblewrap or '–'}")
    say(_WHOLE if whole else _LESS)
    return 0 if whole else IsolationError.code


_OPTIONAL = Text(zh="（非必需）", en="(optional)")
_HEAD = (
    Text(zh="隔离层", en="layer"),
    Text(zh="状态", en="here"),
    Text(zh="详情", en="detail"),
    Text(zh="处理", en="remedy"),
)
_WHOLE = Text(zh="隔离级别：full。可以中试。", en="isolation level: full. Pilots can run here.")
_LESS = Text(
    zh="隔离条件不足：不能中试（预演不受影响）。",
    en="isolation is not complete: no pilot can run here; rehearsals can.",
)
