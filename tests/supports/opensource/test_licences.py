from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.supports.opensource.licences import judge, known

LISTED = ("Apache-2.0", "MIT", "GPL-2.0-only WITH Classpath-exception-2.0")


@pytest.mark.parametrize(
    ("expression", "judged"),
    [
        ("Apache-2.0", "known"),
        ("  apache-2.0 ", "known"),
        ("(MIT)", "known"),
        ("MIT AND Apache-2.0", "known"),
        ("MIT OR GPL-3.0-only", "known"),
        ("GPL-3.0-only OR MIT AND Apache-2.0", "known"),
        ("(GPL-3.0-only OR MIT) AND Apache-2.0", "known"),
        ("mit or gpl-3.0-only", "known"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "known"),
        ("GPL-2.0-only", "not allowed"),
        ("MIT WITH Classpath-exception-2.0", "not allowed"),
        ("GPL-3.0-only", "not allowed"),
        ("MIT AND GPL-3.0-only", "not allowed"),
        ("MIT OR GPL-3.0-only AND Apache-2.0", "known"),
        ("(MIT OR GPL-3.0-only) AND GPL-3.0-only", "not allowed"),
        ("LicenseRef-house", "not allowed"),
        ("DocumentRef-a:LicenseRef-b", "not allowed"),
        ("GPL-2.0+", "not allowed"),
        ("unknown", "unknown"),
        ("NOASSERTION", "unknown"),
        ("none", "unknown"),
        ("", "unknown"),
        ("MIT OR", "unknown"),
        ("OR MIT", "unknown"),
        ("MIT MIT", "unknown"),
        ("MIT Or MIT", "unknown"),
        ("(MIT", "unknown"),
        ("MIT)", "unknown"),
        ("()", "unknown"),
        ("MIT WITH", "unknown"),
        ("MIT WITH (MIT)", "unknown"),
        ("MIT, Apache-2.0", "unknown"),
        ("MIT/Apache-2.0", "unknown"),
        ("MIT\x00", "unknown"),
        ("(" * 200, "unknown"),
        ("(" * 99 + "MIT" + ")" * 98, "unknown"),
        ("(" * 98 + "MIT" + ")" * 98, "known"),
        ("MIT OR " * 40 + "MIT", "unknown"),
    ],
)
def test_expressions(expression, judged):
    assert judge(expression, LISTED) == judged
    assert known(expression, LISTED) is (judged == "known")


trees = st.recursive(
    st.sampled_from(["MIT", "Apache-2.0", "GPL-3.0-only", "LicenseRef-x"]),
    lambda inner: st.tuples(inner, st.sampled_from(["AND", "OR"]), inner),
    max_leaves=5,
)


def written(tree) -> str:
    return tree if isinstance(tree, str) else f"({written(tree[0])} {tree[1]} {written(tree[2])})"


def held(tree) -> bool:
    if isinstance(tree, str):
        return tree in LISTED
    left, right = held(tree[0]), held(tree[2])
    return left and right if tree[1] == "AND" else left or right


@settings(max_examples=200)
@given(trees)
def test_meaning_is_that_of_the_tree(tree):
    assert judge(written(tree), LISTED) == ("known" if held(tree) else "not allowed")


@settings(max_examples=200)
@given(st.text(max_size=60) | st.text(alphabet="MITANDORWH ()-.+", max_size=60))
def test_any_text_is_judged(text):
    assert judge(text, LISTED) in {"known", "not allowed", "unknown"}
