"""Canonical bytes of everything that is hashed or signed.

RFC 8785 (JSON Canonicalization Scheme), restricted so that no two encoders can disagree: ASCII keys, integers
within +-(2^53 - 1), no floats; every real number is a decimal string. FORMATS section 1.
"""

from __future__ import annotations

import json
import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from pilotbase.foundation.errors import FaultError
from pilotbase.foundation.text import Text

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]

_LARGEST = 2**53 - 1  # RFC 8785 section 3.2.2.3: integers that every JSON reader keeps
_LARGEST_REAL = 1e20  # 20 digits and 6 decimals fit the 28 digits of decimal's usual context
_STEP = Decimal("0.000001")  # bounds are stored to 6 decimals


def canonical_bytes(document: object) -> bytes:
    """Encode a document of dict, list or tuple, str, int, bool and None.

    Raises FaultError for a float, a key that is not ASCII, an integer out of range or a lone surrogate.
    """
    _check(document, "$")
    # With ASCII keys, sorting by code point equals RFC 8785's sorting by UTF-16 unit.
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise FaultError(Text(zh="文本中有孤立的代理字符", en="the text holds a lone surrogate")) from error


def _check(value: object, path: str) -> None:
    if value is None or isinstance(value, (bool, str)):
        return
    if isinstance(value, int) and abs(value) <= _LARGEST:
        return
    if isinstance(value, (list, tuple)):  # frozen nouns hold tuples
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]")
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise FaultError(Text(zh="键必须是 ASCII 文本", en="keys must be ASCII text"), found=f"{path}.{key!r}")
            _check(item, f"{path}.{key}")
        return
    raise FaultError(
        Text(zh="此值没有规范字节", en="this value has no canonical bytes"),
        found=f"{path}: {type(value).__name__} {value!r}",
    )


def round_down(value: float) -> str:
    """Write a lower bound: the largest multiple of 10^-6 that is not above the value."""
    return _fixed(value, ROUND_FLOOR)


def round_up(value: float) -> str:
    """Write an upper bound: the smallest multiple of 10^-6 that is not below the value."""
    return _fixed(value, ROUND_CEILING)


def round_near(value: float) -> str:
    """Write an estimate, to 6 decimals."""
    return _fixed(value, "ROUND_HALF_EVEN")


def _fixed(value: float, rounding: str) -> str:
    if not math.isfinite(value) or abs(value) > _LARGEST_REAL:
        raise FaultError(Text(zh="此数不能写成定点小数", en="this number cannot be written"), found=repr(value))
    text = f"{Decimal(value).quantize(_STEP, rounding=rounding):f}"
    return "0.000000" if text == "-0.000000" else text
