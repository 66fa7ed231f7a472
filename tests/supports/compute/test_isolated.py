"""Real cells of level full: frames, failures, ends. What a candidate does wrong is told by kind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cell_samples import LIMITS, MIB, SERVANT, ask, expect, frame, script, spec, until, with_word

from pilotbase.foundation.errors import FaultError, IsolationError
from pilotbase.supports.compute import tree
from pilotbase.supports.compute.cell import CandidateFailed, Mount, failed
from pilotbase.supports.compute.isolated import isolated

pytestmark = pytest.mark.needs("cell")
REFUSED = ("EROFS", "EACCES")  # the second, when the file is another's besides


def failure(cell, data: bytes = b"", wanted=expect, seconds: float = 20.0):
    """Exchange a frame that must fail; return kind and detail. Nothing may live afterwards."""
    with pytest.raises(CandidateFailed) as caught:
        cell.exchange(data, wanted, seconds)
    with pytest.raises(CandidateFailed) as again:
        cell.exchange(data, wanted, seconds)
    assert again.value.failure == caught.value.failure
    return caught.value.failure.kind, caught.value.failure.detail


def test_a_frame_goes_in_and_its_reply_comes_back(state):
    with isolated(spec(), state) as cell:
        assert ask(cell, "result = 6 * 7") == 42
        assert ask(cell, "result = 'again'") == "again"
        usage = cell.close()
    assert float(usage.cpu) > 0
    assert usage.memory > MIB
    assert usage.processes >= 1
    assert cell.close() == usage


EARLY = "import sys, time; sys.stdout.write('12345678'); sys.stdout.flush(); time.sleep(20)"


def test_a_candidate_may_say_that_it_is_ready_before_it_is_asked(state):
    with isolated(script(EARLY), state) as cell:
        time.sleep(0.3)
        assert cell.exchange(b"", lambda _: 8, 1) == b"12345678"
    with isolated(script(EARLY), state) as cell:
        time.sleep(0.3)
        assert float(cell.close().wall) > 0


def test_large_frames_pass_both_ways(state):
    data = os.urandom(8 * MIB)
    code = "import sys, time; send(sys.stdin.buffer.read(8 << 20)); time.sleep(20)"
    with isolated(spec(), state) as cell:
        reply = cell.exchange(frame(code.encode()) + data, expect, 30)
        assert reply[8:] == data


def test_a_candidate_that_talks_before_it_listens_holds_nobody(state):
    code = "import sys; send(b'x' * (4 << 20)); sys.stdin.buffer.read(4 << 20); time.sleep(20)"
    with isolated(spec(), state) as cell:
        reply = cell.exchange(frame(code.encode()) + bytes(4 * MIB), expect, 30)
        assert len(reply) == 8 + 4 * MIB


def test_a_candidate_that_never_listens_is_slow(state):
    with isolated(spec(), state) as cell:
        ask(cell, "result = 1")
        code = "import time; time.sleep(30)"
        assert failure(cell, frame(code.encode()) + bytes(8 * MIB), seconds=0.3)[0] == "slow_call"


def test_the_first_exchange_has_the_time_of_the_start(state):
    patient = script("import time, sys; time.sleep(0.6); sys.stdout.write('12345678'); sys.stdout.flush(); input()")
    with isolated(patient, state) as cell:
        assert cell.exchange(b"", lambda _: 8, 0.1) == b"12345678"


def test_a_start_that_hangs_is_told_apart_from_a_call_that_hangs(state):
    with isolated(script("import time; time.sleep(30)", replace(LIMITS, start=0.4)), state) as cell:
        assert failure(cell)[0] == "slow_start"
    with isolated(spec(), state) as cell:
        ask(cell, "result = 1")
        assert failure(cell, frame(b"time.sleep(30)"), seconds=0.3) == ("slow_call", "no reply within 0.3 s")


def test_ignored_signals_do_not_help_a_candidate_that_hangs(state):
    code = "for n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: pass"
    with isolated(spec(), state) as cell:
        ask(cell, "result = 1")
        began = time.monotonic()
        assert failure(cell, frame(code.encode()), seconds=0.2)[0] == "slow_call"
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("import os; os._exit(3)", "exit code 3"),
        ("import os, signal; os.kill(os.getpid(), 9)", "signal 9"),
        ("", "exit code 0"),
    ],
)
def test_an_exit_is_told_with_its_code(state, code, detail):
    with isolated(script(code), state) as cell:
        assert failure(cell) == ("exited", detail)


def test_a_traceback_is_kept_for_the_operator(state):
    with isolated(script("raise ValueError('told')"), state) as cell:
        assert failure(cell) == ("exited", "exit code 1")
        assert b"ValueError: told" in cell.stderr


def test_an_impossible_head_ends_the_cell(state):
    def wanted(reply: bytes) -> int:
        if len(reply) < 8:
            return 8
        raise failed("wrong_count", "7 rows, 3 sent")

    with isolated(spec(), state) as cell:
        assert failure(cell, frame(b"result = 1"), wanted) == ("wrong_count", "7 rows, 3 sent")


def test_bytes_beyond_a_reply_are_a_failure_of_the_next_exchange(state):
    with isolated(spec(), state) as cell:
        ask(cell, "send(b'1'); result = 1")
        time.sleep(0.1)
        assert failure(cell) == ("protocol", "bytes beyond the last reply")


def test_bytes_beyond_the_last_reply_are_a_failure_of_the_close(state):
    with isolated(spec(), state) as cell:
        ask(cell, "send(b'1'); result = 1")
        time.sleep(0.1)
        with pytest.raises(CandidateFailed) as caught:
            cell.close()
        assert caught.value.failure.kind == "protocol"
        assert float(cell.close().wall) > 0


def test_a_stray_print_is_a_wrong_head(state):
    with isolated(script("print('hello, I am ready', flush=True)\nimport time; time.sleep(30)"), state) as cell:

        def wanted(reply: bytes) -> int:
            if len(reply) >= 8 and int.from_bytes(reply[:8], "little") != 3:
                raise failed("protocol", "head")
            return 8 if len(reply) < 8 else 8 + 24

        assert failure(cell, b"", wanted)[0] == "protocol"


def test_a_closed_cell_is_not_asked_again(state):
    with isolated(spec(), state) as cell:
        ask(cell, "result = 1")
        cell.close()
        with pytest.raises(FaultError):
            cell.exchange(b"", expect, 1)


def test_candidate_and_environment_are_on_the_path_and_read_only(state, tmp_path):
    for name, text in (("candidate", "WHO = 'candidate'"), ("env", "WHO = 'env'")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}_part.py").write_text(text)
        (tmp_path / name / "both.py").write_text(text)
    mounts = tuple(Mount(source=tmp_path / name, target=f"/{name}") for name in ("candidate", "env"))
    code = "import both, candidate_part, env_part; result = [both.WHO, candidate_part.WHO, env_part.WHO]"
    with isolated(spec(mounts=mounts), state) as cell:
        assert ask(cell, code) == ["env", "candidate", "env"]
        assert ask(cell, "result = attempt(lambda: open('/candidate/both.py', 'a'))") in REFUSED
        assert ask(cell, "result = attempt(lambda: open('/env/new', 'w'))") in REFUSED
    assert (tmp_path / "candidate" / "both.py").read_text() == "WHO = 'candidate'"


def test_folders_under_odd_names_and_closed_parents_can_be_mounted(state, tmp_path):
    source = tmp_path / "closed" / "送测 应用 é"
    source.mkdir(parents=True)
    (source / "part.py").write_text("WHO = '应用'", encoding="utf-8")
    (tmp_path / "closed").chmod(0o700)
    with isolated(spec(mounts=(Mount(source=source, target="/candidate"),)), state) as cell:
        assert ask(cell, "import part; result = part.WHO") == "应用"


def test_private_files_of_the_owner_can_be_mounted(state, tmp_path):
    source = tmp_path / "private"
    (source / "inner").mkdir(parents=True, mode=0o700)
    (source / "inner" / "part.py").write_text("WHO = 'private'")
    (source / "inner" / "part.py").chmod(0o600)
    source.chmod(0o700)
    with isolated(spec(mounts=(Mount(source=source / "inner", target="/candidate"),)), state) as cell:
        assert ask(cell, "import part; result = part.WHO") == "private"
    assert (source / "inner" / "part.py").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_holds_the_state_is_refused(state):
    with (
        pytest.raises(IsolationError) as caught,
        isolated(spec(mounts=(Mount(source=state.parent, target="/candidate"),)), state),
    ):
        pass
    assert str(state.parent) in caught.value.found


def test_nothing_is_installed_beside_the_interpreter(state):
    with isolated(spec(), state) as cell:
        names = "('pip', 'numpy', 'pytest', 'msgspec')"
        code = f"import importlib.util as u; result = [u.find_spec(name) is None for name in {names}]"
        assert all(ask(cell, code))
        assert ask(cell, "import glob; result = glob.glob('/usr/lib/python3*/dist-packages/*')") == []


def test_variables_of_the_spec_and_pinned_ones_arrive(state, monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.setenv("SECRET_TOKEN", "canary")
    with isolated(spec(variables={"PILOT_HINT": "x y"}), state) as cell:
        seen = ask(cell, "result = dict(os.environ)")
    assert seen["PILOT_HINT"] == "x y"
    assert (seen["OPENBLAS_CORETYPE"], seen["OPENBLAS_NUM_THREADS"], seen["OMP_NUM_THREADS"]) == ("Haswell", "1", "1")
    assert "canary" not in seen.values()


def test_processor_time_of_forks_is_counted(state):
    burn = "import os, time\nkids = []\nfor _ in range(3):\n    kids.append(os.fork())\n    if not kids[-1]:\n"
    burn += "        t = time.process_time()\n        while time.process_time() - t < 0.2: pass\n        os._exit(0)\n"
    burn += "for kid in kids: os.waitpid(kid, 0)\nresult = 1"
    with isolated(spec(), state) as cell:
        ask(cell, burn)
        assert 0.6 <= float(cell.close().cpu) < 1.5


HOST = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from cell_samples import ask, spec
from pilotbase.supports.compute.isolated import isolated
with isolated(spec(variables={{"WORD": {word!r}}}), Path({state!r})) as cell:
    ask(cell, "result = 1")
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_host_that_is_killed_takes_its_cells_with_it(state, end):
    word = f"word-{os.urandom(8).hex()}"
    code = HOST.format(tests=str(Path(__file__).parent), word=word, state=str(state))
    host = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert host.stdout is not None
        assert host.stdout.readline() == b"ready\n"
        others = [pid for pid in with_word(word) if pid != host.pid]
        assert others  # bubblewrap has the variable in its command line
        host.send_signal(end)
        host.wait(10)
        assert until(lambda: not with_word(word))
    finally:
        host.kill()
        host.wait()
        host.stdout.close()


def test_a_supervisor_that_is_killed_takes_its_cell_with_it(state):
    word = f"word-{os.urandom(8).hex()}"
    with isolated(spec(variables={"WORD": word}), state) as cell:
        ask(cell, "result = 1")
        cell._process.kill()
        assert until(lambda: not with_word(word))
        with pytest.raises(FaultError):
            cell.exchange(frame(b"result = 1"), expect, 5)


def test_two_cells_at_once_do_not_see_each_other(state):
    with isolated(spec(), state) as one, isolated(spec(), state) as other:
        ask(one, "open('/tmp/mark', 'w').write('x'); open('/dev/shm/mark', 'w').write('x'); result = 1")
        assert ask(other, "result = [os.listdir('/tmp'), os.listdir('/dev/shm')]") == [[], []]
        mine, theirs = (set(ask(cell, "result = [os.getuid()]")) for cell in (one, other))
        assert mine != theirs or os.geteuid() != 0


def test_a_fresh_cell_has_no_mark_of_an_earlier_one(state):
    with isolated(spec(), state) as cell:
        ask(cell, "open('/tmp/mark', 'w').write('x'); result = 1")
    with isolated(spec(), state) as cell:
        assert ask(cell, "result = os.listdir('/tmp')") == []
    assert SERVANT  # the servant itself came as a descriptor: no file of it on this machine
    assert not Path("/servant.py").exists()


def test_nothing_is_left_open_on_the_host(state):
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with isolated(spec(), state) as cell:
        ask(cell, "result = 1")
    before = count()
    for _ in range(3):
        with isolated(spec(), state) as cell:
            ask(cell, "result = 1")
        with isolated(script("raise SystemExit(1)"), state) as cell:
            failure(cell)
        with pytest.raises(KeyError), isolated(spec(), state):
            raise KeyError
    assert count() == before
    assert tree.children(os.getpid()) == []
