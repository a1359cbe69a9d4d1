"""`python -m tests.escape`: all probes, languages and kinds of user that this machine allows, and the result page."""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.escape import control, host_state, report
from tests.escape.documented import open_by_the_docs
from tests.escape.scoreboard import Column, problems_of, summary
from tests.live_server import MARK

_RUN = ("-m", "tests.escape.run")
_SECONDS = 1800


def result_of(command: Sequence[str], environ: dict[str, str] | None = None) -> dict[str, Any]:
    """What `python -m tests.escape.run` printed, run by `command`."""
    done = subprocess.run(
        list(command), env=environ, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def control_column(*options: str) -> Column:
    """The same probes without a sandbox, in private namespaces. Needs root."""
    environ = {**os.environ, control.HOST_NAMESPACE: control.namespaces()}
    result = result_of(control.command(*_RUN, "--ground", "bare", *options), environ)
    return Column.of("control", result, is_control=True)


def own_column(*options: str) -> Column:
    """Sandboxes made by this user."""
    result = result_of([sys.executable, *_RUN, *options])
    user = "root" if os.geteuid() == 0 else "ordinary user"
    expected = open_by_the_docs(result["grade"], user)
    return Column.of(user, result, expected_open=None if expected is None else frozenset(expected))


def columns(options: Sequence[str]) -> list[Column]:
    found = []
    if os.geteuid() == 0:
        found.append(control_column(*options))
    found.append(own_column(*options))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.escape")
    parser.add_argument("--language", action="append", help="default: all")
    parser.add_argument("--quick", action="store_true", help="leave out what takes more than a second")
    parser.add_argument("--result", type=Path, help="write the result page there")
    asked = parser.parse_args()
    options = [word for language in asked.language or () for word in ("--language", language)]
    before = host_state.look(MARK)
    found = columns([*options, *(["--quick"] if asked.quick else [])])
    changes = before.differences(host_state.look(MARK))
    problems = [problem for column in found for problem in problems_of(column)]
    print("\n".join(summary(found)))
    for problem in [*problems, *(f"the host has changed: {change}" for change in changes)]:
        print(problem)
    if asked.result:
        text = report.page(found, problems, changes, f"python -m tests.escape {' '.join(sys.argv[1:])}")
        with contextlib.suppress(FileNotFoundError):
            asked.result.unlink()
        asked.result.write_text(text)
    return 1 if problems or changes else 0


if __name__ == "__main__":
    raise SystemExit(main())
