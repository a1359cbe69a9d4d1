"""Fills in what the recorded requests leave open: packages, long texts, and values out of earlier answers."""

import base64
import io
import zipfile
from collections.abc import Mapping
from typing import Any, Final

_PACKAGE_BYTES = {"PublishLayerVersion": 169}
_FUNCTION_PACKAGE_BYTES = 276
"""The sizes that the recorded differences of TotalCodeSize show."""


LARGE_PACKAGE_BYTES: Final = 49 * 1024 * 1024 * 3 // 4
"""Of the one recorded request that was too large: in base64, with its text, it is as long as the limit AWS named."""


class NoSuchAnswer(Exception):
    """A step needs a value that an earlier step's answer doesn't have."""


def fill_in(
    params: Any, operation: str, answers: Mapping[int, Mapping[str, Any]], package_bytes: int | None = None
) -> Any:
    """`params` of a step without markers; a package gets `package_bytes` where that is given. Raises NoSuchAnswer."""
    if isinstance(params, list):
        return [fill_in(one, operation, answers, package_bytes) for one in params]
    if not isinstance(params, Mapping):
        return params
    match params:
        case {"$answer": where, **rest} if not rest:
            return _taken(where, answers)
        case {"$replace": [text, part, where], **rest} if not rest:
            return text.replace(part, str(_taken(where, answers)))
        case {"$zip": _, **rest} if not rest:
            return package(operation, package_bytes)
        case {"$bytes": encoded, **rest} if not rest:
            return base64.b64decode(encoded)
        case {"$long": {"length": length, "begins": begins}, **rest} if not rest:
            return begins + begins[-1:] * (length - len(begins))
    return {name: fill_in(value, operation, answers, package_bytes) for name, value in params.items()}


def package(operation: str, package_bytes: int | None = None) -> bytes:
    """A deployment package that works with the handlers handler.handler and index.handler.

    Each of CreateFunction and UpdateFunctionCode has its own: the recordings' CodeSha256 changes between them.
    """
    size = package_bytes or _PACKAGE_BYTES.get(operation, _FUNCTION_PACKAGE_BYTES)
    names = ("layer.py",) if operation == "PublishLayerVersion" else ("handler.py", "index.py")
    files = dict.fromkeys(names, b"def handler(e,c):return e\n")
    mark = b"#2" if operation == "UpdateFunctionCode" else b"#1"
    files[names[-1]] += mark + b"#" * (size - len(_zipped(files)) - len(mark))
    return _zipped(files)


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(2024, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _taken(where: str, answers: Mapping[int, Mapping[str, Any]]) -> Any:
    """`3:Configuration.Layers.0.Arn`, or with `[0]`: a value out of step 3's answer."""
    step, _, path = where.partition(":")
    value: Any = answers.get(int(step))
    for part in path.replace("[", ".").replace("]", "").split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise NoSuchAnswer(f"the answer of step {step} has no {path}") from None
    return value
