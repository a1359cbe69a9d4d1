"""The guest's ordinary user: a name, ids below it (newuidmap), a home, and a way to this checkout."""

import os
import sys
from pathlib import Path
from typing import Final

NAME: Final = "lampion-guest"
USER_ID: Final = 61_184
"""Not one that Debian gives to people or services."""

_SUBORDINATE_IDS: Final = f"{NAME}:100000000:65536\n"
_SEARCH: Final = 0o011


def create() -> None:
    """Change the guest's tree, which is a layer in memory over the host's."""
    for path, line in {
        "/etc/passwd": f"{NAME}:x:{USER_ID}:{USER_ID}::/home/{NAME}:/bin/sh\n",
        "/etc/group": f"{NAME}:x:{USER_ID}:\n",
        "/etc/subuid": _SUBORDINATE_IDS,
        "/etc/subgid": _SUBORDINATE_IDS,
    }.items():
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(line)
    for directory in (_home(), _run_time_directory()):
        directory.mkdir(parents=True, exist_ok=True)
        os.chown(directory, USER_ID, USER_ID)
    # Checkout and interpreter may lie where only root gets.
    for start in (Path(__file__), Path(sys.base_prefix, "bin")):
        for directory in start.parents:
            directory.chmod(directory.stat().st_mode | _SEARCH)


def become() -> dict[str, str]:
    """Make this process the user's; the environment that goes with it."""
    os.setgroups([])
    os.setresgid(USER_ID, USER_ID, USER_ID)
    os.setresuid(USER_ID, USER_ID, USER_ID)
    return {
        "HOME": str(_home()),
        "USER": NAME,
        "XDG_RUNTIME_DIR": str(_run_time_directory()),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(_home() / "hypothesis"),  # the checkout isn't theirs
    }


def _home() -> Path:
    return Path("/home", NAME)


def _run_time_directory() -> Path:
    return Path("/run/user", str(USER_ID))
