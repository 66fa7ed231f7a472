"""The frames of the predict protocol, inside the cell; an adapter follows in the same file, and then ``serve(load)``.

Requests come on standard input, replies leave on what was standard output. Both are moved to private descriptors first,
so that a stray ``print`` or ``input`` of the candidate can neither spoil a reply nor swallow a request.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn


def stop(zh: str, en: str) -> NoReturn:
    """Say to the candidate's makers what is wrong, in both languages, and end."""
    os.write(2, f"pilotbase: {zh}\npilotbase: {en}\n".encode())
    raise SystemExit(65)


def module(name: str) -> Any:
    """Import a module of the candidate or of its environment."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there; one that it imports is not, and the traceback says which
        stop(
            f"找不到模块 {name}；若来自第三方，请写入 requirements.lock",
            f"there is no module {name}; if it is a third party's, put it into requirements.lock",
        )


class Pipe:
    """The two private descriptors."""

    def __init__(self) -> None:
        """Move standard input and output out of the candidate's reach."""
        self._requests = open(os.dup(0), "rb", buffering=0)  # noqa: PTH123, SIM115 - a descriptor, kept to the end
        self._replies = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)

    def fill(self, buffer: Any) -> bool:
        """Fill a buffer from the requests. False = they ended before its first byte."""
        rest = memoryview(buffer)
        whole = len(rest)
        while rest:
            count = self._requests.readinto(rest)
            if not count and len(rest) == whole:
                return False
            if not count:
                stop("请求在中途断开", "a request ended half-way")
            rest = rest[count:]
        return True

    def send(self, buffer: Any) -> None:
        """Send a buffer whole."""
        rest = memoryview(buffer)
        while rest:
            rest = rest[os.write(self._replies, rest) :]


def serve(load: Callable[[dict[str, Any]], Callable[[Any, Any], Any]]) -> None:
    """Load the candidate, say that it is ready, and answer requests until they end.

    Arguments: the configuration's file, the candidate's folder, and the folders of its installed requirements.

    ``load`` takes the configuration and returns a function of two blocks, numbers (n, p) float64 and codes (n, q)
    int32, which returns the answers (m, k). m is sent as it is: a wrong count is for the host to see.
    """
    pipe = Pipe()
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")) | {"candidate": sys.argv[2]}
    sys.path[:0] = [folder for folder in (*sys.argv[3:], sys.argv[2]) if folder not in sys.path]
    numpy = module("numpy")
    answer = load(config)
    pipe.send((0).to_bytes(8, "little"))
    head = bytearray(8)
    while pipe.fill(head):
        rows = int.from_bytes(head, "little")
        numbers = numpy.empty((rows, len(config["numbers"])), dtype="<f8")
        codes = numpy.empty((rows, len(config["categories"])), dtype="<i4")
        for block in (numbers, codes):
            if block.size and not pipe.fill(block.reshape(-1).view("u1")):
                stop("请求在中途断开", "a request ended half-way")
        answers = numpy.ascontiguousarray(answer(numbers, codes), dtype="<f8")
        pipe.send(len(answers).to_bytes(8, "little"))
        if answers.size:
            pipe.send(answers.reshape(-1).view("u1"))
