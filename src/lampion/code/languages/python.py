"""Where Python interpreters are, and what they say of themselves."""

import json
from pathlib import Path
from typing import Final

from lampion.code.languages.language import Answer, Language
from lampion.code.versions import feature_version

_QUESTION: Final = (
    "import json, platform, sys; "
    "print(json.dumps([platform.python_version(), sys.base_prefix, platform.python_implementation()]))"
)


def _read(answer: bytes, version: str) -> Answer | None:
    told, prefix, implementation = json.loads(answer)
    if implementation != "CPython":
        return None
    return Answer(str(told), Path(prefix), f"bin/python{feature_version(str(told), version)}")


PYTHON: Final = Language(
    title="Python",
    names=("python{}",),
    kept=(
        (".pyenv/versions", "{}.*/bin/python{}"),
        (".local/share/uv/python", "cpython-{}.*/bin/python{}"),
    ),
    question=("-I", "-S", "-c", _QUESTION),
    read=_read,
    install="`uv python install {}` or `apt-get install python{}`",
    least="3.8",
)
