"""A new candidate from what its makers have: a function in a Python file, or an ONNX model.

What can be known is written; what only the makers know is marked for them to fill in. Hashes of packages cannot be made
up: the lock is left empty, with the one command that makes it, and an empty lock does not pass intake.
"""

from __future__ import annotations

import ast
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path

from pilotbase.foundation.errors import InputError, Place, UsageError
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.scenario import Scenario
from pilotbase.store.disk import disk_work

COMMAND = "uv pip compile --generate-hashes --only-binary :all: -o requirements.lock requirements.in"
_LARGEST_SOURCE = 4 << 20  # bytes of a Python file


@dataclass(frozen=True, slots=True)
class _Start:
    """How a candidate is started, and what it needs."""

    adapter: str
    entry: str
    file: Path
    name: str
    """Name of the file in the candidate's folder."""
    requirements: tuple[str, ...]


def new_candidate(source: str, folder: Path, scenario: Scenario) -> tuple[Path, ...]:
    """Write a candidate's folder and return the files in it.

    Args:
        source: ``model.onnx``, or ``predict.py:function``.
        folder: must not exist or be empty; its name becomes the candidate's id.
        scenario: whose contract the candidate answers.

    Raises:
        UsageError: the source is neither of the two.
        InputError: it cannot be read, the function is not in it, or the folder is in use.
        FaultError: the disk fails.

    """
    start = _onnx(Path(source)) if source.endswith(".onnx") else _python(source)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            Text(zh="目标文件夹已有内容", en="the folder is in use"),
            place=Place(file=str(folder)),
            remedy=Text(zh="请另选一个新的或空的文件夹", en="choose a new or an empty one"),
        )
    texts = {
        "candidate.toml": _candidate(start, _identity(folder.resolve().name), scenario),
        "requirements.in": "".join(f"{line}\n" for line in start.requirements),
        "requirements.lock": _LOCK,
    }
    with disk_work(folder, Text(zh="源文件未改动", en="the source is untouched")):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(start.file, folder / start.name)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(folder / name for name in (*texts, start.name))


def _onnx(path: Path) -> _Start:
    if not path.is_file():
        raise _unreadable(path, "")
    needs = ("numpy", "onnxruntime")
    return _Start("onnx", "model.onnx", path, "model.onnx", tuple(_requirement(name) for name in needs))


def _python(source: str) -> _Start:
    place, _, function = source.rpartition(":")
    path = Path(place)
    if path.suffix != ".py" or not path.stem.isidentifier() or not function.isidentifier():
        raise UsageError(
            Text(zh="不知道由什么生成应用", en="a candidate is made from a model file or from a function"),
            found=printable(source),
            expected=Text(zh="model.onnx，或 predict.py:函数名", en="model.onnx, or predict.py:function"),
        )
    tree = _parsed(path)
    defined = {name for node in tree.body for name in _names(node)}
    if function not in defined:
        raise InputError(
            Text(zh="文件中没有这个函数", en="the file does not define that function"),
            place=Place(file=str(path)),
            found=function,
            expected=Text(zh="{names}", en="{names}").fill(names=printable(", ".join(sorted(defined)))),
        )
    needs = sorted({"numpy", *_imported(tree, path.parent)})
    return _Start("python", f"{path.stem}:{function}", path, path.name, tuple(_requirement(name) for name in needs))


def _parsed(path: Path) -> ast.Module:
    """Read a Python file without running it."""
    try:
        if path.stat().st_size > _LARGEST_SOURCE:
            raise _unreadable(path, f"{path.stat().st_size} B")
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, found: str) -> InputError:
    return InputError(
        Text(zh="源文件不存在或无法读取", en="the source does not exist or cannot be read"),
        place=Place(file=str(path)),
        found=printable(found),
    )


def _names(node: ast.stmt) -> Iterator[str]:
    """Return what a statement of a module defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name for alias in node.names)
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _imported(tree: ast.Module, beside: Path) -> Iterator[str]:
    """Return the top-level third-party modules that a file imports, wherever it does so."""
    for node in ast.walk(tree):
        found: list[str] = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found = [node.module]
        for name in (one.partition(".")[0] for one in found):
            local = (beside / f"{name}.py").exists() or (beside / name).is_dir()
            if name not in sys.stdlib_module_names and not local:
                yield name


def _requirement(module: str) -> str:
    """Return the line for the distribution that brings a module: with the version that is installed here, if one is."""
    names = packages_distributions().get(module)
    return f"{names[0]}=={version(names[0])}" if names else module


def _identity(name: str) -> str:
    """Return a candidate id made from a folder's name."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64]
    return plain if re.fullmatch(r"[a-z0-9-]{3,64}", plain) else f"candidate-{plain}".strip("-")


def _candidate(start: _Start, identity: str, scenario: Scenario) -> str:
    served = [column.name for column in scenario.columns("input") if column.known_at == "decision"]
    outputs = [output.name for output in scenario.contract.output]
    threshold = _THRESHOLD if start.adapter == "onnx" and "decision" in outputs else ""
    return _CANDIDATE.format(
        scenario=scenario.name,
        identity=identity,
        kind=scenario.kind,
        licences=", ".join(scenario.licences),
        adapter=start.adapter,
        entry=start.entry,
        threshold=threshold,
        inputs="".join(f'  "{name}",\n' for name in served),
        outputs=", ".join(f'"{name}"' for name in outputs),
    )


_THRESHOLD = """
# 应用自己的阈值：decision = score >= threshold。模型自己输出 decision 时删去此行。
# The candidate's own threshold. Remove the line if the model has an output named decision.
threshold = 0.5"""

_CANDIDATE = """\
# 为场景 {scenario} 准备的应用。标有“待填”处请填写。
# A candidate for the scenario {scenario}. Fill in what is marked TODO.
# 应用用到的其他文件（模型、模块）也须放入此文件夹。
# Every other file that it needs (models, modules) belongs into this folder too.
schema = "pilotbase/candidate/1"
id = "{identity}"
version = "0.1.0"
kind = "{kind}"

# 待填：SPDX 许可证表达式。此场景认可：{licences}
# TODO: an SPDX expression. Known to this scenario: {licences}
licence = "unknown"

[run]
adapter = "{adapter}"
entry = "{entry}"
requirements = "requirements.lock"{threshold}

[asks]
# python：函数收到一个字典（列名 → 一维数组；数值为 float64，缺失为 NaN；类别为 int32 编码，-1 缺失，-2 词表外），
# 返回一个字典（output 中的名称 → 等长的数组）。onnx：输入为 float32 矩阵，列按 inputs 的次序，类别以编码表示。
# python: the function gets a dict, column -> 1-d array (numbers float64, missing NaN; categories int32 codes, -1
# missing, -2 not in the vocabulary), and returns a dict, name in output -> array of the same length. onnx: one float32
# matrix, columns in the order of inputs, categories as their codes.
# 只保留应用真正要用的列，按应用所要的顺序。
# Keep the columns that the candidate uses, in the order in which it wants them.
inputs = [
{inputs}]
output = [{outputs}]

[card.summary]
zh = "待填：一句话说明它做什么。"
en = "TODO: say in one sentence what it does."

[card.trained_on]
zh = "待填：用什么数据训练。"
en = "TODO: say what it was trained on."
"""

_LOCK = f"""\
# 此文件须锁定每个依赖的版本与 SHA-256。在可以联网的机器上核对 requirements.in，再执行：
# This file must pin every requirement to a version and its SHA-256. Check requirements.in, then run, where there is
# a network:
#
#   {COMMAND}
#
# 没有 uv 时 / without uv:
#
#   pip download --only-binary :all: --dest wheels -r requirements.in
#   pilotbase new lock wheels requirements.lock
"""
