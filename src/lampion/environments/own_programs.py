"""The program that a function brings itself, where its runtime has no interpreter: which it is, and what is said when
it can't be run. Starts nothing.
"""

import json
import stat
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lampion.environments.endings import Answer, CannotStart, Ending, NoProgram
from lampion.environments.environ import LAYERS_ROOT, TASK_ROOT
from lampion.sandbox.spec import Mount

BOOTSTRAPS: Final = (f"{TASK_ROOT}/bootstrap", f"{LAYERS_ROOT}/bootstrap")
INVALID_ENTRYPOINT: Final = "Runtime.InvalidEntrypoint"

OWN_VARIABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    }
)
"""There is no interpreter in /var/lang. As recorded."""

_GO: Final = "go"


def own_program(language: str, handler: str, mounts: Sequence[Mount]) -> str:
    """Its path in the sandbox, which has the function's code and layers from `mounts`. Raises CannotStart.

    AWS Lambda developer guide, "Building a custom runtime": `bootstrap` of the code, else of the layers. What a handler
    of go1.x names is the program itself, which is found missing when it is run.
    """
    if language == _GO:
        return f"{TASK_ROOT}/{handler}"
    for path in BOOTSTRAPS:
        if _is_file(path, mounts):
            return path
    raise CannotStart(NoProgram(INVALID_ENTRYPOINT, f"Couldn't find valid bootstrap(s): [{' '.join(BOOTSTRAPS)}]"))


def not_executed(language: str, program: str, problem: str) -> Ending:
    """`problem` is the system's word. AWS's own program, written in Go, gives it in small letters."""
    message = f"fork/exec {program}: {problem.lower()}"
    if language == _GO:  # there it was AWS's runtime which ran the function's program, and told of it
        told = json.dumps({"errorMessage": message, "errorType": "PathError"}, separators=(",", ":"))
        return Answer(told.encode(), "PathError")
    return NoProgram(INVALID_ENTRYPOINT, message)


def _is_file(path: str, mounts: Sequence[Mount]) -> bool:
    """Whether something else than a directory will be at `path`; what it is, tells itself when it is run."""
    directory, _, name = path.rpartition("/")
    return any(_has_file(mount.source, name) for mount in mounts if mount.target == directory)


@lru_cache(maxsize=4096)
def _has_file(tree: Path, name: str) -> bool:
    """In code or layers, which never change."""
    try:
        return not stat.S_ISDIR((tree / name).lstat().st_mode)
    except FileNotFoundError:
        return False
