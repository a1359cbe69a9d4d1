"""How runs are judged: what counts as open, held and broken, and when the suite itself is at fault."""

import json

from lampion.sandbox.driver import Exit
from tests.escape.catalogue import ALL
from tests.escape.scoreboard import Column, problems_of
from tests.escape.verdicts import Outcome, Verdict, judge, merge


def answer(*attempts: tuple[str, bool], broken: str = "") -> str:
    told = [{"name": name, "open": is_open, "evidence": "x"} for name, is_open in attempts]
    return "noise\nESCAPE " + json.dumps({"probe": "P01", "attempts": told, "broken": broken}) + "\n"


WELL = Exit(0)


def judged(output: str, ending: Exit = WELL, seen: list[str] | None = None) -> Outcome:
    return judge("P01", "python", ending, output, seen or []).outcome


def test_one_attempt_that_succeeds_opens_a_probe():
    assert judged(answer(("one", False), ("two", True))) is Outcome.OPEN
    assert judged(answer(("one", False), ("two", False))) is Outcome.HELD


def test_what_is_seen_from_outside_opens_a_probe():
    assert judged(answer(("one", False)), seen=["a process is left"]) is Outcome.OPEN


def test_a_probe_that_fails_or_tries_nothing_is_no_success_of_the_wall():
    assert judged(answer(("one", False), broken="Traceback")) is Outcome.BROKEN
    assert judged(answer()) is Outcome.BROKEN
    assert judged("no answer at all") is Outcome.BROKEN
    assert judged(answer(("one", False))[:60]) is Outcome.BROKEN, "cut off"
    assert judged("", Exit(None, 9)) is Outcome.BROKEN


def test_a_sandbox_that_is_ended_for_its_memory_or_a_filtered_call_has_held():
    assert judged("", Exit(None, 9, out_of_memory=True)) is Outcome.HELD
    assert judged("", Exit(None, 31)) is Outcome.HELD


def test_parts_of_a_probe_become_one_verdict():
    merged = merge([Verdict("P35", "python", (), ("a",)), Verdict("P35", "python", ("b",)), Verdict("P01", "nodejs")])
    assert [(each.name, each.outcome) for each in merged] == [("P35", Outcome.OPEN), ("P01", Outcome.BROKEN)]
    assert Verdict.from_json(merged[0].as_json()) == merged[0]


def column(opened: set[str], held: set[str], **more) -> Column:
    verdicts = [Verdict(name, "python", ("x",)) for name in opened] + [
        Verdict(name, "python", (), ("x",)) for name in held
    ]
    return Column(title="run", grade="strong", findings=(), verdicts=tuple(verdicts), **more)


def test_a_control_run_that_finds_nothing_open_is_a_broken_suite():
    names = {probe.name for probe in ALL if not probe.closed_by_host}
    assert problems_of(column(names, set(), is_control=True)) == []
    assert any("suite itself is broken" in each for each in problems_of(column(set(), names, is_control=True)))
    one_held = problems_of(column(names - {"P07"}, {"P07"}, is_control=True))
    assert one_held == ["run: P07 in python must be open without a sandbox and is not"]


def test_what_is_open_must_be_what_the_docs_say_no_more_and_no_less():
    assert problems_of(column({"P15"}, {"P01"}, expected_open=frozenset({"P15"}))) == []
    assert len(problems_of(column({"P15", "P16"}, set(), expected_open=frozenset({"P15"})))) == 1
    assert len(problems_of(column(set(), {"P15"}, expected_open=frozenset({"P15"})))) == 1
    assert len(problems_of(column(set(), {"P15"}, expected_open=None))) == 1
