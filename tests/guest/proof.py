"""Runs inside the guest: the sandbox tests given, then the figures. `python -m tests.guest.proof FOLDER TEST...`"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.guest.cgroup_tree import sibling_of_own

JUNIT: Final = "junit.xml"
FIGURES: Final = "figures.json"


def main(folder: Path, tests: list[str]) -> int:
    """pytest's exit code. pytest's own time limits don't apply: the guest as a whole has one."""
    options = ["-p", "no:cacheprovider", "--timeout", "0", "--color", "no", "-v", f"--junitxml={folder / JUNIT}"]
    _run_alone("page-cache.scope", "-m", "tests.guest.page_cache")
    code = _run_alone("tests.scope", "-m", "pytest", *options, *tests)
    print("figures ...", flush=True)
    return _run_alone("figures.scope", "-m", "tests.guest.figures", str(folder / FIGURES)) or code


def _run_alone(scope: str, *arguments: str) -> int:
    """Python as the only process of a cgroup: one that it shares with us couldn't hand controllers down."""
    members = sibling_of_own(scope) / "cgroup.procs"
    done = subprocess.run(
        [sys.executable, *arguments], check=False, preexec_fn=lambda: members.write_text(str(os.getpid())) and None
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
