"""The setting that names a program for a runtime: --interpreter."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Final

_RUNTIME: Final = re.compile(r"(?:(x86_64|arm64)/)?([a-z][a-z0-9.]{0,31})")
_FIX: Final = "Write python3.13=/usr/bin/python3.13."


def parse_interpreters(text: str) -> Mapping[str, Path]:
    """`runtime=path` pairs separated by commas; an empty text is none. A runtime may have an architecture before it."""
    interpreters: dict[str, Path] = {}
    for pair in filter(None, text.split(",")):
        runtime, equals, path = pair.partition("=")
        name = _RUNTIME.fullmatch(runtime)
        if not equals or name is None:
            raise ValueError(f"has {pair!r}, which is not RUNTIME=PATH; {_FIX}")
        _check_runtime(name[2])
        if not path.startswith("/") or "\0" in path:
            raise ValueError(f"has {path!r}, which is not an absolute path; {_FIX}")
        interpreters[runtime] = Path(path)
    return MappingProxyType(interpreters)


def _check_runtime(identifier: str) -> None:
    """Raises ValueError for one that no interpreter would ever be looked up for."""
    # costs --help milliseconds that it doesn't need
    from lampion.code.languages import WITHOUT_INTERPRETER  # noqa: PLC0415
    from lampion.code.runtimes import catalogue  # noqa: PLC0415

    runtimes = catalogue().runtimes
    known = [name for name, one in runtimes.items() if one.is_runnable and one.language not in WITHOUT_INTERPRETER]
    if identifier in known:
        return
    close: list[str] = []
    if identifier not in runtimes:
        problem, close = "which is no runtime", get_close_matches(identifier, known, 1)
    elif runtimes[identifier].language in WITHOUT_INTERPRETER:
        problem = "whose functions bring their own program"
    else:
        problem = "which Lampion doesn't run"
    did_you_mean = f"Did you mean {close[0]}? " if close else ""
    raise ValueError(f"names {identifier!r}, {problem}; {did_you_mean}`lampion runtimes` lists all.")
