"""Proves in the guest that the sandbox's limits and isolation hold under cgroup version 2, and writes down what held.

`python -m tests.guest.limits --result FILE` as root; with `--user` as an ordinary user to whom a cgroup is delegated.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.guest.kernel import NoKernel, fetch_kernel
from tests.guest.machine import CHECKOUT, RESULTS, GuestFailed, Hardware, Job, run
from tests.guest.proof import FIGURES, JUNIT
from tests.guest.report import is_proof, page, results_of

_NAMES: Final = ("limits", "isolation", "system_calls", "driver_contract", "death", "launcher", "server_leaf")
TESTS: Final = tuple(f"tests/sandbox/test_{name}.py" for name in (*_NAMES, "ordinary_user"))
LEFT_OUT: Final[Mapping[str, str]] = {"test_driver_contract::*[process*]": "that driver makes no cgroups"}
"""Tests that don't run in the guest, and why."""

_CHOSEN: Final = "not [process"
_PATIENCE: Final = "10"


@dataclass(frozen=True, slots=True)
class Found:
    """What a run brought back."""

    junit: str
    figures: dict[str, str]


def prove(hardware: Hardware, as_user: bool, limit_seconds: float) -> Found:
    """Run the tests and measure. Raises GuestFailed, also when nothing came back."""
    argv = (sys.executable, "-m", "tests.guest.proof", str(RESULTS), "-k", _CHOSEN, *TESTS)
    found: list[Found] = []

    def collect(results: Path) -> None:
        if (results / JUNIT).exists() and (results / FIGURES).exists():
            found.append(Found((results / JUNIT).read_text(), json.loads((results / FIGURES).read_text())))

    job = Job(argv=argv, environ={"LAMPION_TEST_PATIENCE": _PATIENCE}, as_user=as_user)
    code = run(job, hardware, limit_seconds, collect)
    if not found:
        raise GuestFailed(f"the tests left no results; exit code {code}")
    return found[0]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.guest.limits", description=__doc__)
    parser.add_argument("--user", action="store_true", help="as an ordinary user with a delegated cgroup")
    parser.add_argument("--minutes", type=float, default=30, help="the longest it may take")
    parser.add_argument("--result", type=Path, help="file to write the results to")
    chosen = parser.parse_args()
    hardware = Hardware()
    started = time.monotonic()
    try:
        found = prove(hardware, chosen.user, chosen.minutes * 60)
    except (GuestFailed, NoKernel) as error:
        print(f"guest: {error}", file=sys.stderr)
        return 1
    results = results_of(found.junit)
    text = page(_facts(hardware, chosen.user, time.monotonic() - started), found.figures, results, LEFT_OUT)
    if chosen.result is not None:
        chosen.result.write_text(text)
    print(text)
    return 0 if is_proof(results) else 1


def _facts(hardware: Hardware, as_user: bool, seconds: float) -> dict[str, str]:
    who = "an ordinary user, in a scope delegated to them" if as_user else "root, in a system service's cgroup"
    return {
        "command": f"`{'make guest AS=user' if as_user else 'make guest'}`",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": f"{_git('rev-parse', '--short', 'HEAD')}{' with changes' if _git('status', '--porcelain') else ''}",
        "machine": f"qemu without KVM, {hardware.processors} processors, {hardware.memory_mib} MiB, "
        f"Debian's Linux {fetch_kernel().version}, cgroup version 2 only",
        "run by": who,
        "seconds": f"{seconds:.0f}",
    }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(CHECKOUT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
