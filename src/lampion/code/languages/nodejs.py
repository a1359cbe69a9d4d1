"""Where Node.js is, and what it says of itself."""

import json
from pathlib import Path
from typing import Final

from lampion.code.languages.language import Answer, Language

_QUESTION: Final = "JSON.stringify([process.versions.node, process.execPath, process.release.name])"


def _read(answer: bytes, version: str) -> Answer | None:
    """Its tree is the directory above its `bin`; a lone program is mounted with the directory that it is in."""
    told, executable, name = json.loads(answer)
    if name != "node":
        return None
    directory = Path(executable).resolve().parent
    program = Path(executable).resolve().name
    if directory.name == "bin":
        return Answer(str(told), directory.parent, f"bin/{program}")
    return Answer(str(told), directory, program)


NODEJS: Final = Language(
    title="Node.js",
    names=("node{}", "node-{}", "node", "nodejs"),
    kept=(
        (".nvm/versions/node", "v{}.*/bin/node"),
        (".local/share/fnm/node-versions", "v{}.*/installation/bin/node"),
        (".fnm/node-versions", "v{}.*/installation/bin/node"),
        (".volta/tools/image/node", "{}.*/bin/node"),
        (".asdf/installs/nodejs", "{}.*/bin/node"),
        (".local/share/mise/installs/node", "{}.*/bin/node"),
        (".nodenv/versions", "{}.*/bin/node"),
        ("n/versions/node", "{}.*/bin/node"),
        ("/usr/local/n/versions/node", "{}.*/bin/node"),
        ("/usr/local/lib/node_modules", "node/bin/node"),
        ("/usr/lib/node_modules", "node/bin/node"),
        (".npm-global/lib/node_modules", "node/bin/node"),
    ),
    question=("-p", _QUESTION),
    read=_read,
    install="`nvm install {}` or `npm install --global node@{}`",
    least="16",
)
