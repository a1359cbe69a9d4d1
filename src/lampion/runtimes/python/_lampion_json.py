"""JSON as AWS's Python runtime reads and writes it, without loading the `json` package and what that pulls in.

The C scanner and encoder are the ones that `json` itself uses. Values that need more (named tuples, decimals, bytes,
subclasses) go to `_lampion_marshal`.
"""

import os

from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner

if False:
    from typing import Any

_WHITE_SPACE = " \t\n\r"
_BYTE_ORDER_MARK = "\ufeff"
_UNESCAPED = ["AWS_Lambda_python3.%d" % minor for minor in range(12, 16)]
_encode_text = encode_basestring if os.environ.get("AWS_EXECUTION_ENV") in _UNESCAPED else encode_basestring_ascii

_SCALARS = frozenset((str, int, float, bool, type(None)))
_CONTAINERS = frozenset((dict, list, tuple))
_PLAIN = _SCALARS | _CONTAINERS


def _refuse_constant(name: str) -> "Any":
    raise ValueError("Expecting value: " + name + " is no JSON value")


class _ScannerSettings:
    strict = True
    object_hook = None
    object_pairs_hook = None
    array_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)
    memo = {}  # type: ignore[var-annotated]


def _refuse(value: "Any") -> "Any":
    raise TypeError("Object of type " + value.__class__.__name__ + " is not JSON serializable")


_scan = make_scanner(_ScannerSettings())
_unfinished = {}  # type: ignore[var-annotated]  # the containers that are being written: one met again is a circle
_encode = make_encoder(_unfinished, _refuse, _encode_text, None, ": ", ", ", False, False, True)


def loads(document: bytes) -> "Any":
    """The value of a JSON document in UTF-8. Raises ValueError or RecursionError."""
    text = str(document, "utf-8")
    first = text[:1]
    if first == _BYTE_ORDER_MARK:
        text, first = text[1:], text[1:2]
    begin = len(text) - len(text.lstrip(_WHITE_SPACE)) if first in _WHITE_SPACE else 0
    try:
        value, end = _scan(text, begin)
        if end == len(text) or not text[end:].strip(_WHITE_SPACE):
            return value
    except Exception:  # without `json` loaded the scanner has no words for what is wrong
        pass
    import json

    return json.loads(text, parse_constant=_refuse_constant)


def dumps(value: "Any") -> str:
    """`value` as JSON text. Raises TypeError, ValueError or RecursionError when there is none."""
    if type(value) is str:
        return _encode_text(value)
    try:
        plain = _is_plain(value)
    except RecursionError:
        plain = True  # endless or too deep: the encoder says which
    if plain:
        try:
            return "".join(_encode(value, 0))
        except TypeError:  # a key that isn't plain
            pass
        finally:
            _unfinished.clear()
    import _lampion_marshal as marshal

    return marshal.encode(value, _encode_text)


def _is_plain(value: "Any") -> bool:
    """Whether the C encoder's rules are enough: exact built-in types all the way down. Keys it checks itself."""
    kind = type(value)
    if kind not in _CONTAINERS:
        return kind in _SCALARS
    members = value.values() if kind is dict else value
    kinds = set(map(type, members))
    if kinds <= _SCALARS:
        return True
    if not kinds <= _PLAIN:
        return False
    for member in members:
        if type(member) in _CONTAINERS and not _is_plain(member):
            return False
    return True
