from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.foundation.digests import file_digest
from pilotbase.foundation.errors import InputError
from pilotbase.supports.opensource.lock import lock_wheels, read_lock, render

BAD = Path(__file__).parent / "bad"
A, B = "a" * 64, "b" * 64

FAULTS = {
    "lock-coding-utf7.txt": ["Line 1: only UTF-8"],
    "lock-editable.txt": ["Line 2: options"],
    "lock-empty.txt": ["locks no requirement"],
    "lock-environment-variable.txt": ["Line 1: environment variables"],
    "lock-hash-md5.txt": ["Line 1: --hash=sha256"],
    "lock-hash-short.txt": ["Line 1: --hash=sha256"],
    "lock-hidden-line.txt": ["Line 2: options"],
    "lock-index-option.txt": ["Line 1: options"],
    "lock-local-path.txt": ["Line 1: addresses and paths"],
    "lock-no-hash.txt": ["Line 2: --hash=sha256"],
    "lock-not-pinned.txt": ["Line 1: not pinned", "Line 2: not pinned", "Line 3: not pinned", "Line 4: not pinned"],
    "lock-not-utf8.txt": ["Line 2: not UTF-8"],
    "lock-option-behind.txt": ["Line 1: --hash=sha256"],
    "lock-other-file.txt": ["Line 1: options", "Line 2: options"],
    "lock-twice.txt": ["Line 2: numpy stands in line 1 already"],
    "lock-url.txt": ["Line 1: addresses and paths", "Line 2: addresses and paths"],
}


def test_every_bad_lock_is_known():
    assert {path.name for path in BAD.glob("lock-*.txt")} == set(FAULTS)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_bad_lock_is_refused_for_its_own_fault(name):
    faults = read_lock((BAD / name).read_bytes()).faults
    assert all(start in fault.en for fault, start in zip(faults, FAULTS[name], strict=True)), faults
    assert all(fault.zh != fault.en for fault in faults)


def test_a_lock_as_tools_write_it():
    text = f"""\
# This file was generated
Numpy==2.4.6 \\
    --hash=sha256:{B} \\
    --hash=sha256:{A}
    # via scikit-learn
typing_extensions[a.B, c]==4.16.0+local.1 ; python_version < "3.13" and sys_platform != 'win32' --hash=sha256:{A}
"""
    lock = read_lock(text.encode())
    assert lock.faults == ()
    numpy, typing = lock.requirements
    assert (numpy.name, numpy.version, numpy.hashes, numpy.line, numpy.marker) == ("numpy", "2.4.6", (A, B), 2, "")
    assert (typing.name, typing.extras, typing.version) == ("typing-extensions", "a-b,c", "4.16.0+local.1")
    assert typing.marker == "python_version < \"3.13\" and sys_platform != 'win32'"
    assert typing.line == 6


def test_windows_line_ends():
    assert read_lock(f"numpy==1 \\\r\n  --hash=sha256:{A}\r\n".encode()).faults == ()


def test_one_name_under_two_markers_is_pips_to_choose():
    text = f"a==1 ; x == '1' --hash=sha256:{A}\na==2 ; x == '2' --hash=sha256:{B}\n"
    assert read_lock(text.encode()).faults == ()


def test_a_large_file_is_not_read():
    assert "too large" in read_lock(b"#" * (5 << 20)).faults[0].en


names = st.from_regex(r"\A[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?\Z")
hashes = st.lists(st.from_regex(r"\A[0-9a-f]{64}\Z"), min_size=1, max_size=3)
versions = st.from_regex(r"\A[0-9]{1,3}(\.[0-9]{1,3}){0,2}\Z")
requirements = st.dictionaries(names, st.tuples(versions, hashes), min_size=1)


@settings(max_examples=100)
@given(requirements)
def test_what_is_rendered_is_read_back(wanted):
    text = "".join(
        f"{n}=={v}" + "".join(f" \\\n  --hash=sha256:{h}" for h in hs) + "\n" for n, (v, hs) in wanted.items()
    )
    lock = read_lock(text.encode())
    assert lock.faults == ()
    assert {one.name: (one.version, set(one.hashes)) for one in lock.requirements} == {
        name: (version, set(found)) for name, (version, found) in wanted.items()
    }
    plain = render(lock.requirements)
    again = read_lock(plain.encode())
    assert again.faults == ()
    assert render(again.requirements) == plain


@settings(max_examples=300)
@given(
    st.binary(max_size=300)
    | st.text(alphabet="ab=-[]@ ;#\\\n\r\t\x0c$ {}:/.'\"<~!,\u2028", max_size=80).map(str.encode)
)
def test_any_bytes_are_read_without_an_error(data):
    lock = read_lock(data)
    assert lock.faults or lock.requirements
    # what came through unfaulted is really pinned and hashed, and its plain form says the same
    if not lock.faults:
        assert all(one.hashes and one.version for one in lock.requirements)
        assert read_lock(render(lock.requirements).encode()).faults == ()


@pytest.mark.parametrize("text", [" " * 300_000 + "x", "a" * 300_000, "a[" + "b" * 300_000, "a==1 ; " + "(" * 300_000])
def test_long_lines_take_no_time(text):
    assert read_lock(text.encode()).faults


def test_a_lock_of_wheels(tmp_path):
    for name in ("numpy-2.4.6-cp311-cp311-linux_x86_64.whl", "typing_extensions-4.16.0-py3-none-any.whl"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "numpy-2.4.6-1-cp312-cp312-linux_x86_64.whl").write_bytes(b"x")
    text = lock_wheels(tmp_path)
    lock = read_lock(text.encode())
    assert lock.faults == ()
    assert [(one.name, one.version, len(one.hashes)) for one in lock.requirements] == [
        ("numpy", "2.4.6", 2),
        ("typing-extensions", "4.16.0", 1),
    ]
    assert file_digest(tmp_path / "typing_extensions-4.16.0-py3-none-any.whl") in text


@pytest.mark.parametrize("name", ["", "evil-1.0.tar.gz"])
def test_only_wheels_are_locked(tmp_path, name):
    if name:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match="--only-binary"):
        lock_wheels(tmp_path)
