"""Licences: an SPDX expression read against the licences that a scenario knows.

Source  SPDX specification 3.0.1, annex "SPDX license expressions": AND binds closer than OR; ids are compared without
        regard to case. ``A WITH B`` is a licence of its own here and must be known as such.
"""

from __future__ import annotations

import re
from typing import Literal

Judged = Literal["known", "not allowed", "unknown"]
"""known: it can be used under licences that the scenario lists. not allowed: well formed, but it lists others.
unknown: no licence is stated, or the expression cannot be read."""

_LONGEST = 200  # characters; also bounds how deep parentheses can nest
_TOKEN = re.compile(r"\s*(?:(\(|\))|([A-Za-z0-9][A-Za-z0-9.+:-]*))")
_NONE = {"unknown", "none", "noassertion"}


def judge(expression: str, licences: tuple[str, ...]) -> Judged:
    """Judge a candidate's licence by the SPDX ids that a scenario lists."""
    tokens = _tokens(expression)
    if tokens is None:
        return "unknown"
    try:
        held = _Reader(tokens, {licence.casefold() for licence in licences}).whole()
    except ValueError:
        return "unknown"
    return "known" if held else "not allowed"


def known(expression: str, licences: tuple[str, ...]) -> bool:
    """Say whether a candidate may be used under licences that the scenario lists."""
    return judge(expression, licences) == "known"


def _tokens(expression: str) -> list[str] | None:
    """Cut an expression into words and parentheses; None = it cannot be one."""
    text = expression.strip()
    if not text or len(text) > _LONGEST or text.casefold() in _NONE:
        return None
    tokens, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            return None
        tokens.append(match[1] or match[2])
        place = match.end()
    return tokens


class _Reader:
    """Reads ``or := and ("OR" and)*``, ``and := one ("AND" one)*``, ``one := "(" or ")" | id ["WITH" id]``."""

    def __init__(self, tokens: list[str], licences: set[str]) -> None:
        self._tokens = tokens
        self._licences = licences

    def whole(self) -> bool:
        held = self._any()
        if self._tokens:
            raise ValueError(self._tokens)
        return held

    def _any(self) -> bool:
        held = [self._all()]
        while self._take("OR"):
            held.append(self._all())
        return any(held)

    def _all(self) -> bool:
        held = [self._one()]
        while self._take("AND"):
            held.append(self._one())
        return all(held)

    def _one(self) -> bool:
        if self._take("("):
            held = self._any()
            if not self._take(")"):
                raise ValueError(self._tokens)
            return held
        name = self._id()
        return (f"{name} with {self._id()}" if self._take("WITH") else name) in self._licences

    def _id(self) -> str:
        word = self._tokens.pop(0) if self._tokens else ")"
        if word in "()" or word.upper() in {"AND", "OR", "WITH"}:
            raise ValueError(word)
        return word.casefold()

    def _take(self, word: str) -> bool:
        if self._tokens and self._tokens[0] in {word, word.lower()}:
            del self._tokens[0]
            return True
        return False
