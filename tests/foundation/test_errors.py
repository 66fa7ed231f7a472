"""Errors: every part reaches the person, in the language asked for, with the exit code of its family."""

from __future__ import annotations

import pytest

from pilotbase.foundation.errors import (
    NOWHERE,
    FaultError,
    InputError,
    Interrupted,
    IsolationError,
    PilotbaseError,
    Place,
    UsageError,
)
from pilotbase.foundation.text import Text

WHAT = Text(zh="阈值超出范围", en="the threshold is out of range")


def full_error() -> InputError:
    return InputError(
        WHAT,
        place=Place(file="scenario.toml", field="stages[1].criteria[0].threshold", line=12),
        found="1.7",
        expected=Text(zh="0 与 1 之间", en="between 0 and 1"),
        remedy=Text(zh="请改正该值", en="mend the value"),
    )


@pytest.mark.parametrize(
    ("family", "code"),
    [
        (UsageError, 64), (InputError, 65), (IsolationError, 69), (FaultError, 70), (Interrupted, 130),
        (PilotbaseError, 70),
    ],
)  # fmt: skip
def test_each_family_has_the_exit_code_of_the_format(family, code):
    error = family(WHAT)
    assert error.code == code
    assert isinstance(error, PilotbaseError)
    assert error.kind.zh
    assert error.kind.en


def test_every_part_stands_on_its_own_line_in_both_languages():
    assert full_error().lines("en") == [
        "bad input: the threshold is out of range",
        "  where: scenario.toml:12 stages[1].criteria[0].threshold",
        "  found: 1.7",
        "  expected: between 0 and 1",
        "  remedy: mend the value",
    ]
    assert full_error().lines("zh") == [
        "输入有误: 阈值超出范围",
        "  位置: scenario.toml:12 stages[1].criteria[0].threshold",
        "  实际: 1.7",
        "  应为: 0 与 1 之间",
        "  处理: 请改正该值",
    ]


def test_what_is_not_known_is_left_out():
    assert InputError(WHAT).lines("en") == ["bad input: the threshold is out of range"]


def test_str_is_the_whole_english_message():
    assert str(full_error()) == "\n".join(full_error().lines("en"))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (NOWHERE, ""),
        (Place(file="a.toml"), "a.toml"),
        (Place(file="a.toml", line=3), "a.toml:3"),
        (Place(field="x.y"), "x.y"),
        (Place(line=3), ""),  # a line of nothing
        (Place(file="a.toml", field="x.y", line=3), "a.toml:3 x.y"),
    ],
)
def test_a_place_shows_what_is_known(place, words):
    assert str(place) == words
