"""The whole suite as two runs of pytest beside each other, since most tests wait for most of their time.

Tests that need a server, a sandbox or a whole command are one run, the others the second. The runs share nothing: what
one makes on the machine bears the number of its process. A new folder of tests belongs to the first.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

ROOMS_ALONE = ("tests/architecture", "tests/component", "tests/simulation", "tests/unit")
"""Folders of tests that need no server."""

_ROOT = Path(__file__).resolve().parents[1]


def whole_product() -> list[str]:
    """Arguments of the run of all other folders."""
    return ["tests", *(f"--ignore={folder}" for folder in ROOMS_ALONE)]


def rooms_alone() -> list[str]:
    """Arguments of the run of ROOMS_ALONE; without a cache, so that `pytest --last-failed` knows the other's."""
    return [*ROOMS_ALONE, "-p", "no:cacheprovider"]


def both(first: Sequence[str], second: Sequence[str]) -> int:
    """Run both commands; what the second one writes is shown when both have ended. 0 if both succeeded, otherwise 1."""
    with tempfile.TemporaryFile() as written:
        runs = [_started(second, written), _started(first, None)]
        try:
            codes = [run.wait() for run in runs]
        except KeyboardInterrupt:  # the terminal has told them as well, and they clean up
            codes = [run.wait() for run in runs]
        written.seek(0)
        print("\n==", *second, flush=True)
        sys.stdout.buffer.write(written.read())
        sys.stdout.flush()
    return int(any(codes))


def _started(command: Sequence[str], output: IO[bytes] | None) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output and subprocess.STDOUT
    )


if __name__ == "__main__":
    pytest = [sys.executable, "-m", "pytest", "-m", "not long"]
    sys.exit(both([*pytest, *whole_product()], [*pytest, *rooms_alone()]))
