"""Pickles, read without unpickling: the callables that one would look up.

Walks the opcodes with a stack that knows strings only; PEP 307, PEP 574 and ``pickletools`` describe the machine. A
callable whose name cannot be told is as suspicious as a foreign one. Scanning is a hint for people: the boundary is the
cell in which every pickle is loaded.
"""

from __future__ import annotations

import io
import mmap
import pickletools
import re
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Readable = bytes | mmap.mmap

_MARK = object()
_PROTOCOL = re.compile(rb"\x80[\x02-\x05]")
_STRINGS = {
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
}  # fmt: skip
_UNREADABLE = "?"

# Harmless by exact name: what numpy, scikit-learn, LightGBM, joblib and torch need to put arrays and objects together.
# fmt: off
_NAMES: dict[str, frozenset[str]] = {
    "builtins": frozenset({
        "set", "frozenset", "list", "dict", "tuple", "int", "float", "complex", "bool", "str", "bytes", "bytearray",
        "object", "slice", "range",
    }),
    "collections": frozenset({"OrderedDict", "defaultdict", "deque", "Counter"}),
    "copyreg": frozenset({"_reconstructor"}),
    "datetime": frozenset({"date", "datetime", "time", "timedelta", "timezone"}),
    "decimal": frozenset({"Decimal"}),
    "_codecs": frozenset({"encode"}),
    "joblib.numpy_pickle": frozenset({"NumpyArrayWrapper", "NDArrayWrapper", "ZNDArrayWrapper"}),
    "numpy": frozenset({"ndarray", "dtype", "matrix", "recarray"})
    | {f"{kind}{size}" for kind in ("int", "uint", "float", "complex") for size in (8, 16, 32, 64, 128)}
    | {"bool", "bool_", "str_", "bytes_", "void", "intp", "longlong", "longdouble"}
    | {"log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "square", "abs", "absolute", "tanh"},
    "numpy.core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "numpy._core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "numpy.core.numeric": frozenset({"_frombuffer"}),
    "numpy._core.numeric": frozenset({"_frombuffer"}),
    "numpy.random._pickle": frozenset({"__randomstate_ctor", "__bit_generator_ctor", "__generator_ctor"}),
    "numpy.random._mt19937": frozenset({"MT19937"}),
    "numpy.random._pcg64": frozenset({"PCG64"}),
    "numpy.random.bit_generator": frozenset({"SeedSequence", "__pyx_unpickle_SeedSequence"}),
    "numpy.ma": frozenset({"MaskedArray"}),
    "numpy.ma.core": frozenset({"MaskedArray", "_mareconstruct"}),
    "sklearn.metrics._dist_metrics": frozenset({"newObj"}),
    "sklearn.neighbors._ball_tree": frozenset({"newObj"}),
    "sklearn.neighbors._kd_tree": frozenset({"newObj"}),
    "torch._utils": frozenset({"_rebuild_tensor_v2", "_rebuild_parameter"}),
    "torch": frozenset({"FloatStorage", "DoubleStorage", "HalfStorage", "LongStorage", "IntStorage", "BoolStorage"}),
}
# fmt: on
_OLD = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # names of Python 2, mapped by the unpickler itself

# Harmless by family: classes (not functions) of these packages, and Cython's own reconstructors.
_FAMILIES = ("sklearn.", "lightgbm.", "xgboost.", "scipy.sparse.")
_CLASS = re.compile(r"[A-Z]\w*|_[A-Z]\w*|__pyx_unpickle_\w+|c[sr]r_(?:matrix|array)|csc_(?:matrix|array)")


def harmless(target: str) -> bool:
    """Say whether ``module name`` is on the list of what honest models need."""
    module, _, name = target.partition(" ")
    module = _OLD.get(module, module)
    if name in _NAMES.get(module, ()):
        return True
    return module.startswith(_FAMILIES) and _CLASS.fullmatch(name) is not None


@dataclass(slots=True)
class Budget:
    """How much work a scan may still do."""

    opcodes: int
    exhausted: bool = False

    def spend(self) -> bool:
        """Take one opcode off; False = none is left."""
        self.opcodes -= 1
        self.exhausted = self.opcodes < 0
        return not self.exhausted


def targets(data: Readable, budget: Budget) -> Iterator[str]:
    """Return every callable, ``module name``, that the pickles at the start of the data would look up.

    Data that begins with no protocol mark counts as a pickle only if it reads as one up to its end mark: any text could
    begin like one. Where a stream breaks off (arrays of joblib stand in the midst of it), the rest is searched for
    look-ups by pattern.
    """
    place = 0
    marked = _PROTOCOL.match(data) is not None
    while place < len(data) and (place == 0 or _PROTOCOL.match(data, place)):
        walk = _Walk(budget)
        end = walk.run(data, place)
        if end is None and not marked:
            return
        yield from walk.found
        if end is None:
            yield from _patterns(data, walk.place)
            return
        place = end


@dataclass(slots=True)
class _Walk:
    """One walk over the opcodes of one pickle."""

    budget: Budget
    found: list[str] = field(default_factory=list)
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    place: int = 0
    """Where the last opcode that could be read begins."""

    def run(self, data: Readable, start: int) -> int | None:
        """Walk from ``start``; return the place behind the end mark, None if there is none."""
        stream: Any = io.BytesIO(data) if isinstance(data, bytes) else data
        stream.seek(start)
        self.place = start
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # odd escapes in a hostile string are no news
                for opcode, argument, position in pickletools.genops(stream):
                    self.place = position if position is not None else self.place
                    if not self.budget.spend():
                        return None
                    self._step(opcode, argument)
        except (ValueError, struct.error, OverflowError, IndexError, KeyError, MemoryError):
            return None
        return stream.tell()

    def _step(self, opcode: Any, argument: Any) -> None:
        name: str = opcode.name
        if name in {"GLOBAL", "INST"}:
            self.found.append(str(argument))
        elif name == "STACK_GLOBAL":
            pair = [None, None, *self.stack][-2:]
            self.found.append(" ".join(one if isinstance(one, str) else _UNREADABLE for one in pair))
        elif name in {"EXT1", "EXT2", "EXT4"}:
            self.found.append(f"copyreg extension {argument}")
        if name in _STRINGS:
            self.stack.append(str(argument))
        elif name in {"MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"}:
            self.memo[len(self.memo) if name == "MEMOIZE" else int(argument)] = self.stack[-1] if self.stack else None
        elif name in {"GET", "BINGET", "LONG_BINGET"}:
            self.stack.append(self.memo.get(int(argument)))
        elif name == "DUP":
            self.stack.append(self.stack[-1] if self.stack else None)
        else:
            self._shift(opcode)

    def _shift(self, opcode: Any) -> None:
        """Move the stack as the opcode's own description says."""
        before, after = list(opcode.stack_before), list(opcode.stack_after)
        if pickletools.markobject in before:
            while self.stack and self.stack.pop() is not _MARK:
                pass
            before = before[: before.index(pickletools.markobject)]
        del self.stack[max(0, len(self.stack) - len(before)) :]
        self.stack.extend(_MARK if one is pickletools.markobject else None for one in after)


# Two short strings and STACK_GLOBAL, each string perhaps memoised: how protocols 4 and 5 look a callable up.
_SHORT = rb"\x8c(?s:.)([A-Za-z_][\w.]{0,200})(?:\x94|q(?s:.)|r(?s:.){4})?"
_LOOKUP = re.compile(_SHORT + _SHORT + rb"\x93")
_OLD_LOOKUP = re.compile(rb"c([A-Za-z_]\w{0,60}(?:\.\w{1,60}){0,8})\n([A-Za-z_]\w{0,60})\n")
_DANGEROUS = {
    "os", "posix", "nt", "subprocess", "builtins", "__builtin__", "sys", "socket", "shutil", "runpy", "importlib",
    "ctypes", "pty", "pickle", "code", "codeop", "asyncio", "multiprocessing", "webbrowser", "tempfile", "marshal",
    "operator", "types", "functools", "pip", "pdb", "bdb", "timeit", "cProfile", "profile", "trace", "requests",
    "urllib", "http", "ftplib", "smtplib", "commands", "signal", "platform", "pathlib", "io", "glob", "inspect",
}  # fmt: skip


def _patterns(data: Readable, start: int) -> Iterator[str]:
    """Search what lies behind a break. The old form is short enough to come up in noise: dangerous modules only."""
    for match in _LOOKUP.finditer(data, start):
        yield f"{match[1].decode()} {match[2].decode()}"
    for match in _OLD_LOOKUP.finditer(data, start):
        module = match[1].decode()
        if module.partition(".")[0] in _DANGEROUS:
            yield f"{module} {match[2].decode()}"
