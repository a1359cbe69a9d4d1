"""`make test` runs every test once, in two runs, and fails when either does."""

import signal
import time

import pytest

from tests.architecture.tree import ROOT
from tests.suite import BESIDE, both, first_run, second_run


def test_every_folder_of_tests_is_in_one_run() -> None:
    ignored = [argument.removeprefix("--ignore=") for argument in first_run() if argument.startswith("--ignore=")]
    named = [argument for argument in second_run() if argument.startswith("tests/")]
    assert ignored == named == list(BESIDE)
    assert "tests" in first_run()
    assert [folder for folder in BESIDE if not (ROOT / folder).is_dir()] == []


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 3), (5, 0), (2, 1)])
def test_a_failure_of_either_run_fails_and_both_are_shown(
    first: int, second: int, capfd: pytest.CaptureFixture[str]
) -> None:
    runs = [
        ["sh", "-c", f"echo out {code} of {name}; echo failures >&2; exit {code}"]
        for name, code in (("first", first), ("second", second))
    ]
    assert both(*runs) == int(first > 0 or second > 0)
    shown = capfd.readouterr()
    assert f"out {first} of first\n" in shown.out
    assert f"out {second} of second\nfailures\n" in shown.out


def test_a_run_that_is_killed_fails() -> None:
    assert both(["true"], ["sh", "-c", "kill -9 $$"]) == 1


def test_who_ends_the_suite_ends_both_runs() -> None:
    before = signal.getsignal(signal.SIGTERM)
    asleep, ends_us = ["sleep", "60"], ["sh", "-c", "sleep 0.2; kill -TERM $PPID; exec sleep 60"]
    began = time.monotonic()
    assert both(ends_us, asleep) == 1
    assert time.monotonic() - began < 30
    assert signal.getsignal(signal.SIGTERM) == before
