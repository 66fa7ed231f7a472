"""A cell without isolation: starts a shim as a cell would, with frames on its pipes."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pilotbase.supports.applications.predict import decode, encode, expect, expect_ready
from pilotbase.supports.applications.start import configuration, shim

PACKAGES = Path(np.__file__).parents[1]  # the candidate's environment of these tests


@dataclass
class FakeCell:
    """A running shim."""

    process: subprocess.Popen[bytes]

    def read(self, wanted) -> bytes:
        data = b""
        while len(data) < (size := wanted(data)):
            part = os.read(self.process.stdout.fileno(), size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def ready(self) -> None:
        assert self.read(expect_ready) == bytes(8)

    def send(self, numbers, codes) -> None:
        self.process.stdin.write(encode(np.asarray(numbers, dtype="<f8"), np.asarray(codes, dtype="<i4")))
        self.process.stdin.flush()

    def ask(self, numbers, codes, outputs):
        self.send(numbers, codes)
        return decode(self.read(expect(len(numbers), len(outputs))), len(numbers), outputs)

    def end(self) -> str:
        """Close the requests; return what was written to standard error."""
        self.process.stdin.close()
        text = self.process.stderr.read().decode()
        self.process.wait(30)
        return text


@contextmanager
def cell(scenario, candidate, folder: Path, *packages: Path, **changes: object) -> Iterator[FakeCell]:
    """Start a candidate; ``changes`` replace parts of its configuration."""
    config = json.loads(configuration(scenario, candidate))
    config |= changes
    (folder / "shim.py").write_bytes(shim(candidate))
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    arguments = [sys.executable, "-S", "-P", "-B", str(folder / "shim.py"), str(folder / "config.json"), str(folder)]
    arguments += [*map(str, packages), str(PACKAGES)]
    pipe = subprocess.PIPE
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder, env=environment)
    try:
        yield FakeCell(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):
                stream.close()


def u64(data: bytes) -> int:
    return struct.unpack("<Q", data)[0]
