"""An image such as AWS's base images for Python: an interpreter, AWS's runtime client, and an entry script.

Made of what this machine has, for there is nowhere to take one from.
"""

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from tests.images.making import Image, Item, archive, directory

_LEFT_OUT = re.compile(
    r"/(?:test|tests|idlelib|tkinter|ensurepip|lib2to3|turtledemo|config-[^/]*|__pycache__|site-packages)/"
)
_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
_ENTRYPOINT = b"""#!/bin/sh
# As in AWS's base images: on Lambda there is a Runtime API, elsewhere an emulator brings one.
if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" 1>&2
  exit 142
fi
export _HANDLER="$1"
if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then
  exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap
fi
exec PYTHON -m awslambdaric "$1"
"""


@cache
def _base() -> bytes:
    """The interpreter with its library, a shell, and what both are linked against."""
    python, shell = Path(sys.executable).resolve(), Path("/bin/sh").resolve()
    library = Path(sysconfig.get_path("stdlib"))
    modules = [path for path in library.rglob("*") if path.is_file() and not _LEFT_OUT.search(str(path))]
    linked = [path for path in modules if path.suffix == ".so"]
    libraries = sorted(_libraries([python, shell, *linked, *_client_files()]))
    items = [Item("bin/sh", shell.read_bytes(), 0o755)]
    return archive(*items, *(_item(path) for path in (python, *modules, *libraries)), directory("var/task"))


@cache
def _client() -> bytes:
    """AWS's runtime interface client, where the interpreter finds it."""
    return archive(*(_item(path, f"var/runtime/{_place(path)}") for path in _client_files()))


def python_image(source: str, **run: object) -> Image:
    """An image with `source` as /var/task/app.py, whose handler is app.handler."""
    python = Path(sys.executable).resolve()
    entrypoint = Item("lambda-entrypoint.sh", _ENTRYPOINT.replace(b"PYTHON", str(python).encode()), 0o755)
    code = archive(entrypoint, Item("var/task/app.py", source.encode()))
    return Image(
        [_base(), _client(), code],
        {
            "Entrypoint": ["/lambda-entrypoint.sh"],
            "Cmd": ["app.handler"],
            "WorkingDir": "/var/task",
            "Env": ["LAMBDA_TASK_ROOT=/var/task", "PATH=/usr/bin:/bin", "PYTHONPATH=/var/runtime", "LANG=C.UTF-8"],
            **run,
        },
    )


def _item(path: Path, name: str = "") -> Item:
    mode = 0o755 if path.stat().st_mode & 0o111 else 0o644
    return Item(name or str(path).lstrip("/"), path.read_bytes(), mode, modified_seconds=path.stat().st_mtime)


def _client_files() -> Iterator[Path]:
    for name in _CLIENT:
        for file in distribution(name).files or ():
            path = Path(str(file.locate()))
            if path.suffix in (".py", ".so") or "dist-info" in str(path):
                yield path


def _place(path: Path) -> Path:
    return path.relative_to(next(parent for parent in path.parents if parent.name == "site-packages"))


def _libraries(programs: Iterable[Path]) -> set[Path]:
    found = set()
    for program in programs:
        if program.suffix == ".so" or program.stat().st_mode & 0o111:
            told = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
            found |= {Path(path) for path in re.findall(r"(/\S+\.so\S*) \(", told)}
    return found
