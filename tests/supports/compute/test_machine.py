"""Facts of the machine, and the variables of a cell."""

from __future__ import annotations

from pilotbase.supports.compute import machine


def test_settings_of_blas_pass_and_thread_counts_are_pinned(monkeypatch):
    for name, value in {
        "OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512", "MKL_CBWR": "COMPATIBLE", "OMP_NUM_THREADS": "8",
        "OPENBLAS_VERBOSE": "x; rm", "OTHER": "x", "MY_OPENBLAS_X": "1", "PYTHONPATH": "/x",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    found = machine.variables({"EXTRA": "1"})
    assert (found["OPENBLAS_CORETYPE"], found["OPENBLAS_L2_SIZE"], found["MKL_CBWR"]) == (
        "Haswell",
        "512",
        "COMPATIBLE",
    )
    assert (found["OMP_NUM_THREADS"], found["EXTRA"]) == ("1", "1")
    assert not {"OTHER", "MY_OPENBLAS_X", "PYTHONPATH", "OPENBLAS_VERBOSE"} & set(found)
    assert list(found) == sorted(found)


def test_facts_are_filled_in_and_packages_come_from_folder_names(tmp_path):
    for name in ("Some_Part-1.2.dist-info", "other.part-3.0+cpu.dist-info", "some_part", "broken.dist-info"):
        (tmp_path / name).mkdir()
    found = machine.environment(tmp_path)
    assert found.packages == {"some-part": "1.2", "other.part": "3.0+cpu"}
    assert found.cores >= 1
    assert all((found.system, found.machine, found.python))
    assert found.variables == machine.variables()
    assert machine.environment().packages == {}
