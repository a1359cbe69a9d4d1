"""The quick probes: the wall holds what the docs promise, and without a wall the same probes get through."""

import os
from pathlib import Path

import pytest

from tests.escape.__main__ import as_ourselves, changes_since, control_column, own_user, user_column
from tests.escape.catalogue import ALL, LEAST_OPEN_IN_CONTROL, LISTED
from tests.escape.host_state import look
from tests.escape.scoreboard import problems_of
from tests.live_server import MARK

BY_NATIVE_PROGRAM = {probe.name for probe in ALL if probe.group in ("kernel", "extra")} | {"P07", "P08"}
"""What Node asks the native program to do; a process for each call takes its time. `make escape` leaves none out."""


def options(*languages: str, leave_out: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    quick = [probe.name for probe in ALL if not probe.is_slow and probe.name not in leave_out]
    words = [("--language", language) for language in languages] + [("--probe", name) for name in quick]
    return ["--quick", *(word for pair in words for word in pair)]


@pytest.mark.parametrize(
    ("language", "leave_out"),
    [("python", set()), ("nodejs", BY_NATIVE_PROGRAM), ("native", set())],
    ids=["python", "nodejs", "native"],
)
def test_what_is_open_in_a_sandbox_is_what_the_docs_list(language, leave_out):
    before = look(f"{MARK}-")
    column = user_column(own_user(), as_ourselves, options(language, leave_out=leave_out))
    assert problems_of(column) == []
    assert column.marks
    assert changes_since(before, [column]) == []


@pytest.mark.skipif(
    Path(__file__).is_relative_to("/tmp"), reason="the control run covers /tmp, and this checkout with it"
)
@pytest.mark.skipif(os.geteuid() != 0, reason="the control run needs namespaces that only root gets")
def test_without_a_sandbox_every_quick_probe_gets_through():
    before = look(f"{MARK}-")
    column = control_column(*options("python"))
    assert problems_of(column) == []
    assert changes_since(before, [column]) == []
    assert len(column.open_probes(LISTED)) > LEAST_OPEN_IN_CONTROL
