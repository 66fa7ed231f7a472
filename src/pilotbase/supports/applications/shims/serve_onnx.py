"""The adapter for an ONNX model, run by onnxruntime on one thread.

Inputs: one matrix (n, columns asked for), codes as numbers; or one input per column, under its name, where a tensor of
strings receives the words ("" for a missing or unseen one). Outputs: ``score`` and ``decision`` where the model names
them; else the one tensor of floats, (n,), (n, 1) or (n, 2), whose last column is the score. A decision that the model
does not give is score >= the candidate's threshold.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pilotbase.supports.applications.shims.frames import module, stop

FLOATS = {"tensor(float)": "float32", "tensor(double)": "float64"}
WHOLE = {"tensor(int64)": "int64", "tensor(int32)": "int32"}


def load(config: dict[str, Any]) -> Callable[[Any, Any], Any]:
    """Open the model and return what runs it."""
    session = open_model(Path(config["candidate"]) / config["entry"])
    feed = feeder(session.get_inputs(), config)
    score, decision = outputs(session.get_outputs(), config)
    wanted = [name for name in (score, decision) if name]
    threshold = None if config["threshold"] is None else float(config["threshold"])
    np = module("numpy")

    def answer(numbers: Any, codes: Any) -> Any:
        given = dict(zip(wanted, session.run(wanted, feed(numbers, codes)), strict=True))
        found = {name: last_column(given[one]) for name, one in (("score", score), ("decision", decision)) if one}
        if not decision and "decision" in config["outputs"]:
            found["decision"] = found["score"] >= threshold
        return np.stack([found[name].astype("<f8") for name in config["outputs"]], axis=1)

    return answer


def open_model(path: Path) -> Any:
    """Open the model file on one thread."""
    runtime = module("onnxruntime")
    if not path.is_file():
        stop(f"找不到模型文件 {path.name}", f"there is no model file {path.name}")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def feeder(inputs: list[Any], config: dict[str, Any]) -> Callable[[Any, Any], dict[str, Any]]:
    """Return what turns the two blocks into the model's inputs."""
    asked = config["inputs"]
    by_name = {one.name: one for one in inputs}
    if unknown := sorted({one.type for one in inputs} - {*FLOATS, *WHOLE, "tensor(string)"}):
        stop(f"模型的输入类型 {unknown} 不受支持", f"the model has inputs of types {unknown}, which are not supported")
    if set(by_name) == set(asked):
        return lambda numbers, codes: {
            name: one_column(by_name[name], column, config["vocabulary"].get(name))
            for name, column in columns(numbers, codes, config).items()
        }
    if len(inputs) != 1 or inputs[0].type not in FLOATS:
        stop(
            f"模型的输入 {sorted(by_name)} 既不是一个浮点矩阵，也不与 asks.inputs {asked} 一一对应",
            f"the model's inputs {sorted(by_name)} are neither one matrix of floats nor those of asks.inputs {asked}",
        )
    only = inputs[0]
    width = only.shape[-1] if only.shape else None
    if isinstance(width, int) and width != len(asked):
        stop(
            f"模型需要 {width} 列，而 asks.inputs 有 {len(asked)} 列",
            f"the model takes {width} columns, asks.inputs has {len(asked)}",
        )
    np = module("numpy")
    dtype = FLOATS[only.type]
    return lambda numbers, codes: {
        only.name: np.stack([one.astype(dtype) for one in columns(numbers, codes, config).values()], axis=1)
    }


def columns(numbers: Any, codes: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Return the columns by name, in the order asked for."""
    found = {name: numbers[:, index] for index, name in enumerate(config["numbers"])}
    found |= {name: codes[:, index] for index, name in enumerate(config["categories"])}
    return {name: found[name] for name in config["inputs"]}


def one_column(one: Any, column: Any, words: list[str] | None) -> Any:
    """Return one column as the model's input of that name wants it: its type, and (n,) or (n, 1)."""
    np = module("numpy")
    if one.type == "tensor(string)":
        if words is None:
            stop(f"数值列 {one.name} 不能作为字符串输入", f"the number {one.name} cannot be fed as strings")
        values = np.array([*words, "", ""], dtype=object)[column]  # codes -2 and -1 count from the end
    else:
        if one.type in WHOLE and np.isnan(column).any():
            stop(
                f"列 {one.name} 有缺失值，模型却要整数", f"{one.name} has missing values, the model wants whole numbers"
            )
        values = column.astype({**FLOATS, **WHOLE}[one.type])
    return values.reshape(-1, 1) if one.shape is not None and len(one.shape) > 1 else values


def outputs(found: list[Any], config: dict[str, Any]) -> tuple[str, str]:
    """Return the names of the model's outputs that give score and decision; empty = it gives none."""
    names = [one.name for one in found]
    floats = [one.name for one in found if one.type in FLOATS]
    decision = "decision" if "decision" in names and "decision" in config["outputs"] else ""
    if "decision" in config["outputs"] and not decision and config["threshold"] is None:
        stop(
            "模型不输出 decision，请在 candidate.toml 的 run.threshold 写明阈值",
            "the model has no output named decision: give run.threshold in candidate.toml",
        )
    if "score" in names:
        return "score", decision
    if len(floats) != 1:
        stop(
            f"模型的浮点张量输出为 {floats}，应恰有一个，或命名为 score；导出 scikit-learn 分类器时请关闭 zipmap",
            f"the model's tensors of floats are {floats}: name one of them score; export a classifier without zipmap",
        )
    return floats[0], decision


def last_column(array: Any) -> Any:
    """Return a tensor (n,), (n, 1) or (n, 2) as the (n,) of its last column."""
    if array.ndim == 1:
        return array
    if array.ndim != 2 or array.shape[1] not in {1, 2}:  # noqa: PLR2004 - rows and columns
        stop(
            f"模型输出的形状为 {array.shape}，应为（行数）、（行数，1）或（行数，2）",
            f"the model gives a tensor of shape {array.shape}, not (rows), (rows, 1) or (rows, 2)",
        )
    return array[:, -1]
