"""Jobs in a cell: one writable folder, of which only plain files within bounds come home."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from cell_samples import LIMITS, MIB, script

from pilotbase.foundation.errors import InputError
from pilotbase.supports.compute.isolated import work

pytestmark = pytest.mark.needs("cell")

WRITE = """
import os, sys
os.makedirs("/out/inner/deep")
open("/out/plain", "wb").write(b"data")
open("/out/inner/deep/tool", "w").write("#!/bin/sh")
os.chmod("/out/inner/deep/tool", 0o700)
os.utime("/out/plain", (1_600_000_000, 1_600_000_000))
print("told"); print("noted", file=sys.stderr)
"""


def test_files_come_home_with_their_times_and_open_permissions(state, tmp_path):
    done = work(script(WRITE), tmp_path / "home", 20, state=state)
    assert (done.exit_code, done.failure, done.stdout, done.stderr) == (0, None, b"told\n", b"noted\n")
    files = {str(path.relative_to(tmp_path / "home")) for path in (tmp_path / "home").rglob("*") if path.is_file()}
    assert files == {"plain", "inner/deep/tool"}
    plain, tool = tmp_path / "home/plain", tmp_path / "home/inner/deep/tool"
    assert (plain.read_bytes(), plain.stat().st_mtime, plain.stat().st_mode & 0o777) == (b"data", 1_600_000_000, 0o644)
    assert tool.stat().st_mode & 0o777 == 0o755
    assert (tool.stat().st_uid, (tmp_path / "home").stat().st_mode & 0o777) == (os.getuid(), 0o755)


def test_an_empty_folder_that_stands_already_is_filled(state, tmp_path):
    (tmp_path / "home").mkdir()
    work(script(WRITE), tmp_path / "home", 20, state=state)
    assert (tmp_path / "home/plain").read_bytes() == b"data"


def test_a_job_that_fails_brings_nothing(state, tmp_path):
    done = work(script("open('/out/x', 'w').write('x'); raise SystemExit(4)"), tmp_path / "home", 20, state=state)
    assert done.exit_code == 4
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "code",
    [
        "os.symlink('/etc/passwd', '/out/link')",
        "os.symlink('..', '/out/up')",
        "os.makedirs('/out/a'); os.symlink('/', '/out/a/root')",
        "import socket; s = socket.socket(1); s.bind('/out/socket')",
        "open('/out/new\\nline', 'w')",
        "open('/out/back\\\\slash', 'w')",
        "open('/out/big', 'wb').truncate(9 << 20)",
        "p = '/out'\nfor _ in range(80):\n    p += '/d'\n    os.mkdir(p)",
    ],
)
def test_anything_but_plain_files_within_bounds_is_refused(state, tmp_path, code):
    with pytest.raises(InputError) as caught:
        work(script(f"import os\n{code}"), tmp_path / "home", 20, state=state, capacity=8 * MIB, files=200)
    assert caught.value.expected is not None
    assert not (tmp_path / "home").exists()


def test_a_full_out_is_the_jobs_own_problem(state, tmp_path):
    code = "open('/out/x', 'wb').write(bytes(9 << 20))"
    done = work(script(code), tmp_path / "home", 20, state=state, capacity=4 * MIB)
    assert done.exit_code == 1
    assert b"No space left" in done.stderr


def test_too_many_files_are_stopped_while_they_are_made(state, tmp_path):
    code = "import time\nfor n in range(3000): open(f'/out/{n}', 'w').close()\ntime.sleep(20)"
    done = work(script(code), tmp_path / "home", 20, state=state, files=1000)
    assert done.exit_code == 137
    assert done.failure is not None
    assert done.failure.kind == "killed_scratch"


def test_a_job_past_its_time_or_its_words_is_stopped(state, tmp_path):
    done = work(script("import time; time.sleep(20)"), tmp_path / "home", 0.5, state=state)
    assert (done.exit_code, done.failure and done.failure.kind) == (137, "killed_time")
    flood = "import os, time\nfor _ in range(24): os.write(1, bytes(1 << 20))\ntime.sleep(20)"
    done = work(script(flood), tmp_path / "home", 20, state=state)
    assert (done.exit_code, done.failure and done.failure.kind) == (137, "killed_output")
    assert len(done.stdout) == 64 << 10


def test_a_job_gets_no_input_and_no_network(state, tmp_path):
    code = "import sys, socket\nassert sys.stdin.read() == ''\ntry: socket.socket()\nexcept OSError: print('none')"
    assert work(script(code), tmp_path / "home", 20, state=state).stdout == b"none\n"


def test_the_limits_of_the_spec_hold_for_jobs(state, tmp_path):
    code = """
held = [bytearray(1 << 20) for _ in range(200)]
for one in held:
    for at in range(0, 1 << 20, 4096): one[at] = 1
import time; time.sleep(20)
"""
    done = work(script(code, replace(LIMITS, memory=64 * MIB)), tmp_path / "home", 20, state=state)
    assert done.failure is not None
    assert done.failure.kind == "killed_memory"
