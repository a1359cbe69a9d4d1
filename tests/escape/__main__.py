"""`python -m tests.escape`: all probes, languages and kinds of user that this machine allows, and the result page."""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.escape import control, host_state, report
from tests.escape.documented import open_by_the_docs
from tests.escape.scoreboard import Column, problems_of, summary
from tests.escape.verdicts import Verdict, merge
from tests.live_server import MARK
from tests.ordinary_user import OrdinaryUser, missing, ordinary_user, run_as

USERS = {"ordinary user with ids and cgroups": True, "ordinary user alone": False}
RUNS = ("control", "own", "users")
_NATIVE = ("native", "--language")
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


def user_column(title: str, run: Callable[[Sequence[str]], dict[str, Any]], options: Sequence[str]) -> Column:
    """Sandboxes and a server of one user; `run` runs a module of ours as this user."""
    result = run([*_RUN, *options])
    marks = [result["mark"]]
    if "--quick" not in options:
        by_server = run(["-m", "tests.escape.product", *_without_native(options)])
        marks.append(by_server["mark"])
        result["verdicts"] = _together(result["verdicts"] + by_server["verdicts"])
    expected = open_by_the_docs(result["grade"], title)
    return Column.of(title, result, marks=tuple(marks), expected_open=None if expected is None else frozenset(expected))


def changes_since(before: host_state.HostState, columns: Sequence[Column]) -> list[str]:
    """What the host shows now that it didn't before; every run has a mark of its own, and none existed before.

    Of the control run nothing can remain: all that it makes lies in namespaces that end with it.
    """
    marks = [mark for column in columns for mark in column.marks]
    return before.differences(host_state.look(*(f"{mark}-" for mark in [MARK, *marks])))


def _without_native(options: Sequence[str]) -> list[str]:
    """A server has no functions without a language."""
    return [word for at, word in enumerate(options) if "native" not in options[at : at + 2] or word not in _NATIVE]


def _together(verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """P40 is tried in a sandbox and on a server."""
    return [each.as_json() for each in merge([Verdict.from_json(each) for each in verdicts])]


def as_ourselves(words: Sequence[str]) -> dict[str, Any]:
    return result_of([sys.executable, *words])


def result_as(user: OrdinaryUser, words: Sequence[str]) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(run_as(user, words, _SECONDS).stdout)
    return result


def own_user() -> str:
    return "root" if os.geteuid() == 0 else "ordinary user"


def columns(options: Sequence[str], runs: Sequence[str]) -> list[Column]:
    """Those asked for; ordinary users only where they can be made."""
    found = []
    if "control" in runs:
        found.append(control_column(*options))
    if "own" in runs:
        found.append(user_column(own_user(), as_ourselves, options))
    for title, has_everything in USERS.items():
        if "users" in runs:
            with ordinary_user(has_ids=has_everything, has_cgroups=has_everything) as user:
                found.append(user_column(title, lambda words, user=user: result_as(user, words), options))  # type: ignore[misc]
    return found


def possible_runs() -> list[str]:
    """Without root there is no control run and no other user; says so."""
    if os.geteuid() != 0:
        print("not root: no control run, no other users")
        return ["own"]
    if problem := missing():
        print(f"no runs as ordinary users: {problem}")
        return ["control", "own"]
    return list(RUNS)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.escape")
    parser.add_argument("--language", action="append", help="default: all")
    parser.add_argument("--quick", action="store_true", help="leave out what takes more than a second")
    parser.add_argument("--result", type=Path, help="write the result page there")
    parser.add_argument("--run", action="append", choices=RUNS, help="default: all that this user can make")
    asked = parser.parse_args()
    runs = asked.run or possible_runs()
    options = [word for language in asked.language or () for word in ("--language", language)]
    before = host_state.look(f"{MARK}-")
    found = columns([*options, *(["--quick"] if asked.quick else [])], runs)
    changes = changes_since(before, found)
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
