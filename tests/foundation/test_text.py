"""Text in two languages, and foreign text made safe to print."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from pilotbase.foundation.text import LANGUAGES, Text, printable

GREETING = Text(zh="你好，{name}", en="hello, {name}")


def test_a_text_speaks_both_languages():
    assert GREETING.say("zh") == "你好，{name}"
    assert GREETING.say("en") == "hello, {name}"
    assert set(LANGUAGES) == {"zh", "en"}


def test_fill_puts_values_into_both_languages():
    assert GREETING.fill(name=7) == Text(zh="你好，7", en="hello, 7")


def test_a_text_inside_a_text_keeps_its_own_language():
    assert GREETING.fill(name=Text(zh="世界", en="world")) == Text(zh="你好，世界", en="hello, world")


def test_braces_in_a_filled_value_stay_as_they_are():
    assert GREETING.fill(name="{0.__class__}").en == "hello, {0.__class__}"


@given(st.text())
def test_printable_text_has_no_control_and_no_direction_changing_character(raw):
    shown = printable(raw)
    assert not [char for char in shown if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}]
    shown.encode("utf-8")  # no lone surrogate is left either


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"]), max_size=200))
def test_plain_text_in_any_script_is_left_alone(raw):
    assert printable(raw) == raw


def test_the_dangerous_ones_become_escapes():
    assert printable("a\x1b[2Jb\u202ec\n") == "a\\x1b[2Jb\\u202ec\\n"


def test_long_text_is_capped_and_marked():
    assert printable("x" * 201) == "x" * 200 + "…"
    assert printable("x" * 200) == "x" * 200
    assert printable("abcdef", 3) == "abc…"
