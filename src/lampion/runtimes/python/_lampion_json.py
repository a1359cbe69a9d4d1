"""JSON as AWS's Python runtime reads and writes it, without loading the `json` package and what that pulls in.

The C scanner and encoder are the ones that `json` itself uses. Values that need more (named tuples, decimals, bytes,
subclasses) go to `_lampion_marshal`.
"""

import os

from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner

if False:
    from typing import Any

_WHITE_SPACE = " \t\n\r"
_UNESCAPED = ["AWS_Lambda_python3.%d" % minor for minor in range(12, 16)]
_encode_text = encode_basestring if os.environ.get("AWS_EXECUTION_ENV") in _UNESCAPED else encode_basestring_ascii

_SCALARS = frozenset((str, int, float, bool, type(None)))
_PLAIN = _SCALARS | {list, dict, tuple}


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


_scan = make_scanner(_ScannerSettings())


def loads(document: bytes) -> "Any":
    """The value of a JSON document in UTF-8. Raises ValueError or RecursionError."""
    text = str(document, "utf-8")
    if text.startswith("\ufeff"):
        text = text[1:]
    try:
        value, end = _scan(text, len(text) - len(text.lstrip(_WHITE_SPACE)))
        if end == len(text) or not text[end:].strip(_WHITE_SPACE):
            return value
    except Exception:  # without `json` loaded the scanner has no words for what is wrong
        pass
    import json

    return json.loads(text, parse_constant=_refuse_constant)


def dumps(value: "Any") -> str:
    """`value` as JSON text. Raises TypeError, ValueError or RecursionError when there is none."""
    kind = type(value)
    if kind is str:
        return _encode_text(value)
    try:
        plain = _is_plain(value)
    except RecursionError:
        plain = True  # endless or too deep: the encoder says which
    if plain:
        return "".join(make_encoder({}, _refuse, _encode_text, None, ": ", ", ", False, False, True)(value, 0))
    import _lampion_marshal as marshal

    return marshal.encode(value, _encode_text)


def _refuse(value: "Any") -> "Any":
    raise TypeError("Object of type " + value.__class__.__name__ + " is not JSON serializable")


def _is_plain(value: "Any") -> bool:
    """Whether the C encoder's rules are enough: exact built-in types all the way down."""
    kind = type(value)
    if kind is dict:
        if not _SCALARS.issuperset(map(type, value)):
            return False
        members = value.values()
    elif kind is list or kind is tuple:
        members = value
    else:
        return kind in _SCALARS
    kinds = set(map(type, members))
    if kinds <= _SCALARS:
        return True
    if not kinds <= _PLAIN:
        return False
    for member in members:
        if type(member) not in _SCALARS and not _is_plain(member):
            return False
    return True
