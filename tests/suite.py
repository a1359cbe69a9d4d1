"""The whole suite as two runs of pytest beside each other, since most tests wait for most of their time.

What clients see of a whole server is one run, the folders of BESIDE are the other; each takes about half of the time.
They share nothing: what a run makes on the machine bears the number of its process. A new folder belongs to the first.
"""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

BESIDE = (
    "tests/architecture",
    "tests/chaos",
    "tests/companion",
    "tests/component",
    "tests/control_plane",
    "tests/sandbox",
    "tests/scale",
    "tests/simulation",
    "tests/unit",
)

Run = subprocess.Popen[bytes]

_ROOT = Path(__file__).resolve().parents[1]


def first_run() -> list[str]:
    """Pytest's arguments for all folders but BESIDE."""
    return ["tests", *(f"--ignore={folder}" for folder in BESIDE)]


def second_run() -> list[str]:
    """Pytest's arguments for BESIDE; without a cache, so that `pytest --last-failed` knows the first run's."""
    return [*BESIDE, "-p", "no:cacheprovider"]


def both(first: Sequence[str], second: Sequence[str]) -> int:
    """Run both commands; what the second one writes is shown when both have ended. 0 if both succeeded, otherwise 1."""
    with tempfile.TemporaryFile() as written, _ended_together() as runs:
        runs += _started(second, written), _started(first, None)
        try:
            codes = [run.wait() for run in runs]
        except KeyboardInterrupt:  # the terminal has told them as well, and they clean up
            codes = [run.wait() for run in runs] + [1]
        written.seek(0)
        print("\n==", *second, flush=True)
        sys.stdout.buffer.write(written.read())
        sys.stdout.flush()
    return int(any(codes))


@contextmanager
def _ended_together() -> Iterator[list[Run]]:
    """Runs that are asked to end when this process is."""
    runs: list[Run] = []

    def end(*_: object) -> None:
        for run in runs:
            run.send_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield runs
    finally:
        signal.signal(signal.SIGTERM, before)


def _started(command: Sequence[str], output: IO[bytes] | None) -> Run:
    return subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output and subprocess.STDOUT
    )


if __name__ == "__main__":
    pytest = [sys.executable, "-m", "pytest", "-m", "not long"]
    sys.exit(both([*pytest, *first_run()], [*pytest, *second_run()]))
