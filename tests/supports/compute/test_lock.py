"""The lock as the installer is given it: nothing of a candidate's file is an order to pip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.foundation.errors import InputError
from pilotbase.supports.compute.lock import read

HASH = "--hash=sha256:" + "0" * 64
GOOD = f"name==1.0 {HASH}"


@pytest.fixture
def write(tmp_path):
    def put(text: str | bytes):
        path = tmp_path / "requirements.lock"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return put


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"a.b-c_d[x,y]==1.0+cpu ; python_version < '3.12' and (os_name == \"posix\") {HASH} {HASH}",
        f"# made by hand\nname==1.0 \\\n    {HASH} \\\n    {HASH}  # via other\n\n",
        f"name==1.0 \\\n    {HASH} \\\n",
    ],
)
def test_locked_requirements_pass(write, text):
    plain = read(write(text))
    assert plain.count("\n") == 1
    assert read(write(plain)) == plain
    assert "#" not in plain


def test_an_absent_or_empty_lock_is_empty(write, tmp_path):
    assert read(tmp_path / "none") == ""
    assert read(write("\n# nothing\n  \n")) == ""


ORDERS = [
    "--no-binary=:all:",
    "--no-binary :all:",
    "-e .",
    "--index-url http://x/",
    "-i http://x/",
    "--extra-index-url=http://x",
    "--find-links /",
    "-f .",
    "-r other.txt",
    "-c other.txt",
    "--trusted-host x",
    "--pre",
    "--use-feature=fast-deps",
    f"name @ https://x/name.whl {HASH}",
    f"./name.whl {HASH}",
    f"https://x/name.whl {HASH}",
    f"git+https://x/name {HASH}",
    f"name {HASH}",
    f"name>=1 {HASH}",
    f"name==1.* {HASH}",
    "name==1.0",
    "name==1.0 --hash=md5:00",
    f"name==1.0 {HASH}0",
    f"name==${{HOME}} {HASH}",
    f"name==1.0 {HASH} --config-settings=x=y",
    f"name==1.0 --global-option=x {HASH}",
    f"name==1.0 {HASH} name==1.0",
    f"name==1.0,==1.0 {HASH}",
    "name===1.0",
    f"name==1.0 ; x == '--no-binary' --pre {HASH}",
    f"-name==1.0 {HASH}",
]


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_to_pip_is_refused_with_its_line(write, order):
    with pytest.raises(InputError) as caught:
        read(write(f"{GOOD}\n\n{order}\n"))
    assert caught.value.place.line == 3
    assert caught.value.remedy is not None


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf" + GOOD.encode(), "name==1.0 # é".encode(), b"\xff\xfe", b"x" * (5 << 20)]
)
def test_other_encodings_and_sizes_are_refused(write, data):
    with pytest.raises(InputError):
        read(write(data))


@given(st.text(alphabet=st.sampled_from(" \t\\\n#-=hashr:0 e;'{}$@/.name1"), max_size=60))
def test_what_passes_is_requirements_with_hashes_and_nothing_else(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("lock") / "lock"
    path.write_text(f"{GOOD}\n{text}")
    try:
        plain = read(path)
    except InputError:
        return
    for line in plain.splitlines():
        words = line.split(" --")
        assert "==" in words[0]
        assert all(word.startswith("hash=sha256:") and len(word) == 76 for word in words[1:])
        assert len(words) > 1
        assert not line.startswith("-")
