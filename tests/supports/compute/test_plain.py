"""Level none: the same frames and the same failures, on any operating system."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cell_samples import LIMITS, MIB, ask, expect, frame, script, spec, until, with_word

from pilotbase.foundation.errors import FaultError, InputError
from pilotbase.supports.compute.cell import CandidateFailed, Mount
from pilotbase.supports.compute.plain import plain, plain_work


def failure(cell, data: bytes = b"", seconds: float = 20.0):
    with pytest.raises(CandidateFailed) as caught:
        cell.exchange(data, expect, seconds)
    with pytest.raises(CandidateFailed):
        cell.exchange(data, expect, seconds)
    return caught.value.failure.kind, caught.value.failure.detail


def test_a_frame_goes_in_and_its_reply_comes_back():
    with plain(spec()) as cell:
        assert ask(cell, "result = 6 * 7") == 42
        usage = cell.close()
    assert float(usage.cpu) > 0
    assert usage.memory > MIB
    assert cell.close() == usage


EARLY = "import sys, time; sys.stdout.write('12345678'); sys.stdout.flush(); time.sleep(20)"


def test_a_candidate_may_say_that_it_is_ready_before_it_is_asked():
    with plain(script(EARLY)) as cell:
        time.sleep(0.3)
        assert cell.exchange(b"", lambda _: 8, 1) == b"12345678"
    with plain(script(EARLY)) as cell:
        time.sleep(0.3)
        assert float(cell.close().wall) > 0


def test_large_frames_pass_both_ways():
    data = os.urandom(4 * MIB)
    with plain(spec()) as cell:
        reply = cell.exchange(frame(b"send(sys.stdin.buffer.read(4 << 20)); time.sleep(20)") + data, expect, 30)
        assert reply[8:] == data


def test_a_candidate_that_talks_before_it_listens_holds_nobody():
    with plain(spec()) as cell:
        code = b"send(b'x' * (4 << 20)); sys.stdin.buffer.read(4 << 20); time.sleep(20)"
        assert len(cell.exchange(frame(code) + bytes(4 * MIB), expect, 30)) == 8 + 4 * MIB


def test_failures_are_told_by_kind():
    with plain(script("import time; time.sleep(30)", replace(LIMITS, start=0.3))) as cell:
        assert failure(cell)[0] == "slow_start"
    with plain(spec()) as cell:
        ask(cell, "result = 1")
        assert failure(cell, frame(b"time.sleep(30)"), 0.3) == ("slow_call", "no reply within 0.3 s")
    with plain(script("import os; os._exit(3)")) as cell:
        assert failure(cell) == ("exited", "exit code 3")
    with plain(script("raise ValueError('told')")) as cell:
        assert failure(cell)[0] == "exited"
        assert b"ValueError: told" in cell.stderr
    with plain(script("import os, time; os.close(1); time.sleep(30)")) as cell:
        assert failure(cell) == ("protocol", "standard output closed")
    with plain(script("import os, time\nfor _ in range(24): os.write(2, bytes(1 << 20))\ntime.sleep(30)")) as cell:
        assert failure(cell)[0] == "killed_output"
    with plain(script("import time; time.sleep(30)", replace(LIMITS, run=0.4))) as cell:
        assert failure(cell)[0] == "killed_time"


def test_bytes_beyond_a_reply_are_a_failure():
    with plain(spec()) as cell:
        ask(cell, "send(b'1'); result = 1")
        time.sleep(0.1)
        assert failure(cell) == ("protocol", "bytes beyond the last reply")
    with plain(spec()) as cell:
        ask(cell, "send(b'1'); result = 1")
        time.sleep(0.1)
        with pytest.raises(CandidateFailed):
            cell.close()
        assert float(cell.close().wall) > 0


def test_a_closed_cell_is_not_asked_again():
    with plain(spec()) as cell:
        cell.close()
        with pytest.raises(FaultError):
            cell.exchange(b"", expect, 1)


def test_targets_are_real_paths_here(tmp_path):
    source = tmp_path / "送测 应用"
    source.mkdir()
    (source / "part.py").write_text("WHO = 'candidate'")
    mounts = (Mount(source=source, target="/candidate"),)
    given = spec(mounts=mounts, variables={"WHERE": "/candidate/part.py", "OTHER": "/candidates"})
    with plain(replace(given, arguments=("/servant.py", "/candidate", "x"))) as cell:
        assert ask(cell, "import part; result = part.WHO") == "candidate"
        assert ask(cell, "result = sys.argv[1:]") == [str(source), "x"]
        assert ask(cell, "result = [os.environ['WHERE'], os.environ['OTHER']]") == [
            str(source / "part.py"),
            "/candidates",
        ]
        scratch = ask(cell, "result = [os.getcwd(), os.environ['HOME'], os.environ['TMPDIR']]")
        assert len(set(scratch)) == 1
    assert not Path(scratch[0]).exists()


def test_variables_are_those_of_a_cell(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "canary")
    with plain(spec()) as cell:
        seen = ask(cell, "result = dict(os.environ)")
    assert seen["OMP_NUM_THREADS"] == "1"
    assert "canary" not in seen.values()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_children_are_gone_with_the_cell():
    word = f"word-{os.urandom(8).hex()}"
    words = f"[sys.executable, '-c', 'import time; time.sleep(60)', '{word}']"
    with plain(spec()) as cell:
        ask(cell, f"import subprocess; subprocess.Popen({words}); result = 1")
        assert until(lambda: with_word(word))
    assert until(lambda: not with_word(word))


def test_a_job_brings_its_files_home(tmp_path):
    code = "import sys\nopen(sys.argv[1] + '/x', 'w').write('y'); print('told'); print('noted', file=sys.stderr)"
    done = plain_work(replace(script(code), arguments=("/script.py", "/out")), tmp_path / "home", 20)
    assert (done.exit_code, done.failure, done.stdout, done.stderr) == (0, None, b"told\n", b"noted\n")
    assert (tmp_path / "home/x").read_text() == "y"


def test_a_job_that_fails_hangs_or_links_brings_nothing(tmp_path):
    done = plain_work(script("raise SystemExit(4)"), tmp_path / "home", 20)
    assert done.exit_code == 4
    done = plain_work(script("import time; time.sleep(30)"), tmp_path / "home", 0.3)
    assert (done.exit_code, done.failure and done.failure.kind) == (137, "killed_time")
    linking = replace(
        script("import os, sys; os.symlink('/etc', sys.argv[1] + '/x')"), arguments=("/script.py", "/out")
    )
    with pytest.raises(InputError):
        plain_work(linking, tmp_path / "home", 20)
    assert not (tmp_path / "home").exists()


ELSEWHERE = """
import sys
sys.platform = "{platform}"
for name in ("fcntl", "pwd", "grp", "resource") if sys.platform == "win32" else ():
    sys.modules[name] = None
import os
for name in ("memfd_create", "wait4", "sched_getaffinity", "O_PATH"):
    if hasattr(os, name): delattr(os, name)
import pilotbase.supports.compute.environment, pilotbase.supports.compute.isolated
import pilotbase.supports.compute.plain, pilotbase.supports.compute.selftest, pilotbase.supports.compute.machine
from pilotbase.supports.compute.selftest import self_test
from pathlib import Path
found = self_test(Path("."))
assert found.level == "none", found
assert any("Linux" in layer.detail.en for layer in found.layers), found
"""


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_every_file_can_be_imported_elsewhere_and_full_is_refused_in_words(platform, tmp_path):
    code = ELSEWHERE.format(platform=platform)
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert told.stderr == ""
    assert told.returncode == 0
