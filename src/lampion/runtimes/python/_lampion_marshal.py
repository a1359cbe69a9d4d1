"""Writes what plain JSON encoders refuse or write otherwise than AWS's Python runtime: named tuples and anything else
with `_asdict()` as objects, decimals as numbers, bytes as UTF-8 text."""

import sys

if False:
    from typing import Any, Callable, Dict, List

    TextEncoder = Callable[[str], str]

_INFINITY = float("inf")


def encode(value: "Any", encode_text: "TextEncoder") -> str:
    """`value` as JSON text. Raises TypeError, ValueError or RecursionError when there is none."""
    chunks = []  # type: List[str]
    _write(value, chunks.append, encode_text, {})
    return "".join(chunks)


def _write(value: "Any", out: "Callable[[str], Any]", encode_text: "TextEncoder", open_: "Dict[int, Any]") -> None:
    if isinstance(value, str):
        out(encode_text(value))
    elif isinstance(value, bytes):
        out(encode_text(str(value, "utf-8")))
    elif value is None or value is True or value is False or isinstance(value, (int, float)):
        out(_scalar(value))
    else:
        members = _members(value)
        if members is None:
            out(_decimal(value))
            return
        if id(value) in open_:
            raise ValueError("Circular reference detected")
        open_[id(value)] = value
        opening, closing = "{}" if isinstance(members, dict) else "[]"
        separator = opening
        if isinstance(members, dict):
            for key, member in members.items():
                out(separator + encode_text(_key(key)) + ": ")
                separator = ", "
                _write(member, out, encode_text, open_)
        else:
            for member in members:
                out(separator)
                separator = ", "
                _write(member, out, encode_text, open_)
        out(opening + closing if separator is opening else closing)
        del open_[id(value)]


def _members(value: "Any") -> "Any":
    """The dict or sequence that `value` is written as; None when it is neither."""
    as_dict = getattr(value, "_asdict", None)
    if callable(as_dict):
        members = as_dict()
        if not isinstance(members, dict):
            raise TypeError("_asdict() must return a dict, not " + type(members).__name__)
        return members
    return value if isinstance(value, (list, tuple, dict)) else None


def _scalar(value: "Any") -> str:
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if value != value:
        return "NaN"
    if value in (_INFINITY, -_INFINITY):
        return "Infinity" if value > 0 else "-Infinity"
    return float.__repr__(value)


def _key(key: "Any") -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bytes):
        return str(key, "utf-8")
    if key is None or isinstance(key, (int, float)):
        return _scalar(key)
    raise TypeError("keys must be str, int, float, bool or None, not " + key.__class__.__name__)


def _decimal(value: "Any") -> str:
    """A decimal with the digits it has; nothing else is left that could be written. Raises TypeError."""
    decimal = sys.modules.get("decimal")
    if decimal is None or not isinstance(value, decimal.Decimal):
        raise TypeError("Object of type " + value.__class__.__name__ + " is not JSON serializable")
    return "NaN" if value.is_nan() else str(value)
