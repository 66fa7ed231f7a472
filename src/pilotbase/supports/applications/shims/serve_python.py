"""The adapter for a function of a module, ``module:function``.

It is called with a dict, name -> 1-D array (float64 for a number, int32 codes for a category), in the order asked for,
and returns a mapping output -> n values, or an array (n, k) with the outputs in the order of the contract.
"""

from collections.abc import Callable
from typing import Any

from pilotbase.supports.applications.shims.frames import module, stop


def load(config: dict[str, Any]) -> Callable[[Any, Any], Any]:
    """Find the function and return what calls it."""
    place, _, name = config["entry"].partition(":")
    function: Any = getattr(module(place), name, None)
    if not callable(function):
        stop(f"模块 {place} 中没有函数 {name}", f"the module {place} has no function {name}")

    def answer(numbers: Any, codes: Any) -> Any:
        columns = {name: numbers[:, index] for index, name in enumerate(config["numbers"])}
        columns |= {name: codes[:, index] for index, name in enumerate(config["categories"])}
        return matrix(function({name: columns[name] for name in config["inputs"]}), config["outputs"])

    return answer


def matrix(result: Any, outputs: list[str]) -> Any:
    """Return what the function returned as an array (m, k)."""
    np = module("numpy")
    try:
        if not hasattr(result, "keys"):
            return table(np.asarray(result, dtype="<f8"), outputs)
        if missing := [name for name in outputs if name not in result]:
            stop(f"函数的返回值缺少 {missing}", f"what the function returns lacks {missing}")
        columns = [np.asarray(result[name], dtype="<f8").reshape(-1) for name in outputs]
    except (TypeError, ValueError) as error:
        stop(f"函数的返回值不是数：{error}", f"what the function returns is not made of numbers: {error}")
    if len({len(column) for column in columns}) > 1:
        stop("函数返回的各列长度不同", "the columns that the function returns differ in length")
    return np.stack(columns, axis=1)


def table(array: Any, outputs: list[str]) -> Any:
    """Return an array as (m, k); one output may come as (m,)."""
    if array.ndim == 1 and len(outputs) == 1:
        return array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != len(outputs):  # noqa: PLR2004 - rows and columns
        stop(
            f"函数返回的数组形状为 {array.shape}，应为（行数，{len(outputs)}），列为 {outputs}",
            f"the function returns an array of shape {array.shape}, not (rows, {len(outputs)}) with columns {outputs}",
        )
    return array
