"""Which programs of a tree that becomes /opt are external extensions, and what variables they get. Knows no sandbox."""

import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from lampion.environments.environ import LAYERS_ROOT
from lampion.environments.extension_flow import EXTENSIONS_DIRECTORY
from lampion.environments.extensions import MOST_EXTENSIONS, TooManyExtensions
from lampion.sandbox.spec import Companions, Mount

_DIRECTORY: Final = "extensions"
# Developer guide, "Using the Lambda Extensions API to create extensions", "Configuration".
_OF_THE_RUNTIME_ALONE: Final = frozenset(
    [
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "PWD",  # not in that list, but not true of an extension either
    ]
)


@lru_cache(maxsize=4096)
def extension_programs(opt: Path) -> tuple[str, ...]:
    """Their paths inside the sandbox, in the order in which they start. The tree, which never changes, is /opt there.

    Everything that isn't a directory counts, as on AWS, executable or not. Raises TooManyExtensions.
    """
    try:
        with os.scandir(opt / _DIRECTORY) as entries:
            names = sorted(entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    if len(names) > MOST_EXTENSIONS:
        raise TooManyExtensions(tuple(names))
    return tuple(f"{EXTENSIONS_DIRECTORY}/{name}" for name in names)


def extension_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Of the variables of a function's runtime, those that an extension has too."""
    return {
        name: value for name, value in environ.items() if name not in _OF_THE_RUNTIME_ALONE and not name.startswith("_")
    }


def companions_of(
    own: tuple[Mount, ...], variables: Callable[[Mapping[str, str]], dict[str, str]]
) -> Companions | None:
    """The function's external extensions. Raises TooManyExtensions."""
    programs = next((extension_programs(mount.source) for mount in own if mount.target == LAYERS_ROOT), ())
    return Companions(programs, extension_variables(variables({}))) if programs else None
