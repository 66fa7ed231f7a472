from __future__ import annotations

import io
import pickle
import time
import zipfile
import zlib
from collections import OrderedDict
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.supports.opensource import scan
from pilotbase.supports.opensource.pickles import Budget, harmless
from pilotbase.supports.opensource.scan import _Scan, scan_bytes, scan_folder

BAD = Path(__file__).parent / "bad"

SUSPECTS = {
    "pickle-behind-array-old.joblib": [("", "os.system")],
    "pickle-behind-array.joblib": [("", "os.system")],
    "pickle-broken-off.pkl": [("", "posix.system")],
    "pickle-bz2.joblib": [("", "posix.system")],
    "pickle-extension.pkl": [("", "copyreg.extension 1")],
    "pickle-gzip.joblib": [("", "posix.system")],
    "pickle-hidden-name.pkl": [("", "?.system")],
    "pickle-inst.pkl": [("", "os.system")],
    "pickle-lzma.joblib": [("", "posix.system")],
    "pickle-memo.pkl": [("", "os.system")],
    "pickle-object-array.npy": [("", "posix.system")],
    "pickle-object-array.npz": [("!evil.npy", "posix.system")],
    "pickle-protocol-0.txt": [("", "posix.system")],
    "pickle-protocol-2.pkl": [("", "__builtin__.eval")],
    "pickle-script-and-zip.sh": [("!model.pkl", "posix.system")],
    "pickle-second.pkl": [("", "posix.system")],
    "pickle-too-deep.zip": [("!level-6!level-5!level-4!level-3", "")],
    "pickle-zip-in-zip.zip": [("!inner.zip!model.pkl", "posix.system")],
    "pickle-zlib.joblib": [("", "posix.system")],
}


def test_every_bad_pickle_is_known():
    assert {path.name for path in BAD.glob("pickle-*")} == set(SUSPECTS)


@pytest.mark.parametrize("name", sorted(SUSPECTS))
def test_bad_pickle_is_found(name):
    found = scan_bytes(name, (BAD / name).read_bytes())
    assert [(one.file, one.what) for one in found] == [(name + inside, what) for inside, what in SUSPECTS[name]]


def test_a_folder_is_scanned_as_its_files_are():
    found = [one for one in scan_folder(BAD) if one.file.startswith("pickle-")]
    alone = [one for name in SUSPECTS for one in scan_bytes(name, (BAD / name).read_bytes())]
    assert found == sorted(alone)


def test_a_finding_is_a_sentence_that_is_safe_to_print():
    (found,) = scan_bytes("a\x1b[2J.pkl", b"c\x1b[1mos\nsystem\n.")
    assert "\x1b" not in found.text.en + found.text.zh
    assert found.text.en.endswith("would call \\x1b[1mos.system.")
    (deep,) = scan_bytes("x.zip", (BAD / "pickle-too-deep.zip").read_bytes())
    assert deep.text.en.endswith("holds more than can be scanned.")


def npz(**arrays) -> bytes:
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    return data.getvalue()


HONEST = {
    "numbers": pickle.dumps({"weights": np.arange(1000.0), "seed": np.random.default_rng(1), "n": np.float64(3)}),
    "old protocol": pickle.dumps(np.arange(3), 0),
    "containers": pickle.dumps([OrderedDict(a={1}), Decimal(1), frozenset({2}), 1j, bytearray(b"x"), slice(3)], 5),
    "npz": npz(a=np.zeros((3, 4)), b=np.array(["north"])),
    "object array of words": npz(words=np.array(["north", None], dtype=object)),
    "python source": Path(scan.__file__).read_bytes(),
    "text that begins like a pickle": b"cats\nand\ndogs\n.\n",
    "json": b'{"a": [1, 2.5, null]}',
    "nothing": b"",
    "zip of nothing": b"PK\x05\x06" + bytes(18),
}


@pytest.mark.parametrize("name", sorted(HONEST))
def test_honest_files_raise_no_suspicion(name):
    assert scan_bytes(name, HONEST[name]) == ()


def test_honest_models_raise_no_suspicion():
    joblib = pytest.importorskip("joblib")
    ensemble, linear, pipeline, compose, preprocessing, svm, neighbors = (
        pytest.importorskip(f"sklearn.{name}")
        for name in ("ensemble", "linear_model", "pipeline", "compose", "preprocessing", "svm", "neighbors")
    )
    rng = np.random.default_rng(2)
    inputs, truth = rng.random((300, 3)), rng.integers(0, 2, 300)
    columns = compose.ColumnTransformer(
        [("n", preprocessing.StandardScaler(), [0]), ("o", preprocessing.OneHotEncoder(), [1])]
    )
    models = [
        ensemble.HistGradientBoostingClassifier(max_iter=5),
        ensemble.RandomForestClassifier(5),
        pipeline.make_pipeline(columns, linear.LogisticRegression()),
        svm.SVC(),
        neighbors.KNeighborsClassifier(algorithm="kd_tree"),
    ]
    for model in models:
        model.fit(inputs.round(1), truth)
        assert scan_bytes("p", pickle.dumps(model)) == (), type(model)
        for compress in (0, 3, ("gzip", 3), ("lzma", 3)):
            data = io.BytesIO()
            joblib.dump(model, data, compress=compress)
            assert scan_bytes("j", data.getvalue()) == (), (type(model), compress)


@pytest.mark.parametrize(
    "target",
    ["os system", "builtins eval", "builtins getattr", "sklearn.base os.system", "sklearn.utils fixes", "sklearn x",
     "numpy fromfile", "numpy.testing.runstring X", "numpy.f2py.diagnose run", "functools partial",
     "operator attrgetter", "scipy.sparse.linalg expm", "torch load", "? ?", "", "builtins"],
)  # fmt: skip
def test_foreign_names_are_not_harmless(target):
    assert not harmless(target)


def zip_of(*members: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(str(number), member)
    return data.getvalue()


def looked(data: bytes, **limits: object) -> list[str]:
    """Scan with other limits; return what was found."""
    one = _Scan(**limits)
    one.look("file", data, 0)
    return [suspect.what for suspect in one.suspects()]


def test_a_bomb_is_a_finding_not_a_flood():
    assert looked(zip_of(bytes(2 << 20)), unpacked=1 << 20) == [""]
    assert looked(zlib.compress(bytes(2 << 20)), unpacked=1 << 20) == [""]
    assert looked(zip_of(bytes(1 << 19)), unpacked=1 << 20) == []


def test_many_opcodes_are_a_finding_not_a_hang():
    data = b"\x80\x04" + b"N0" * 1000 + b"."
    assert looked(data, budget=Budget(1000)) == [""]
    assert looked(data, budget=Budget(3000)) == []


def test_many_members_are_a_finding_not_a_hang():
    assert looked(zip_of(*[b"x"] * 11), members=10) == [""]
    assert looked(zip_of(*[b"x"] * 10), members=10) == []


heads = st.sampled_from(
    [
        b"",
        b"\x80\x04",
        b"\x80\x02",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"BZh9",
        b"\xfd7zXZ\0",
        b"x\x9c",
        b"]\0\0",
        b"\x93NUMPY\x01\0",
    ]
)


@settings(max_examples=500)
@given(heads, st.binary(max_size=200), st.sampled_from([b"", b".", b"PK\x05\x06" + bytes(18)]))
def test_any_bytes_are_scanned_without_an_error(head, body, tail):
    scan_bytes("any", head + body + tail)


seeds = st.sampled_from([path.read_bytes() for path in sorted(BAD.glob("pickle-*")) if path.stat().st_size < 4000])


@settings(max_examples=500)
@given(seeds, st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 255)), min_size=1, max_size=6))
def test_any_damaged_file_is_scanned_without_an_error(data, flips):
    damaged = bytearray(data)
    for place, flip in flips:
        damaged[place % len(data)] ^= flip
    scan_bytes("damaged", bytes(damaged))


values = st.recursive(
    st.none() | st.integers() | st.text() | st.binary() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=200)
@given(values, st.integers(0, 5))
def test_plain_values_raise_no_suspicion_and_a_call_among_them_does(value, protocol):
    assert scan_bytes("plain", pickle.dumps(value, protocol)) == ()
    found = scan_bytes("call", pickle.dumps([value, time.sleep, value], protocol))
    assert [one.what for one in found] == ["time.sleep"]
