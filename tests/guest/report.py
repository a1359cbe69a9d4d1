"""What a run in the guest found, from pytest's own record (JUnit XML) to a page of docs/results. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

_OUTCOMES = {"failure": "failed", "error": "failed", "skipped": "skipped"}


@dataclass(frozen=True, slots=True)
class Result:
    """One test. `outcome`: passed, failed or skipped; `why` is the first line of what pytest says of the last two."""

    module: str
    name: str
    outcome: str
    why: str = ""


def results_of(junit: str) -> tuple[Result, ...]:
    """In the order in which they ran; a test that both failed and broke its fixture's end counts once."""
    found: dict[tuple[str, str], Result] = {}
    for case in ET.fromstring(junit).iter("testcase"):
        key = case.get("classname", "").rpartition(".")[2], case.get("name", "")
        outcome, why = "passed", ""
        for child in case:
            if child.tag in _OUTCOMES:
                outcome, why = _OUTCOMES[child.tag], (child.get("message") or "").partition("\n")[0]
        if key not in found or found[key].outcome != "failed":
            found[key] = Result(*key, outcome, why)
    return tuple(found.values())


def is_proof(results: Sequence[Result]) -> bool:
    """Whether something passed and nothing failed."""
    outcomes = Counter(result.outcome for result in results)
    return outcomes["passed"] > 0 and outcomes["failed"] == 0


def page(
    facts: Mapping[str, str], figures: Mapping[str, str], results: Sequence[Result], left_out: Mapping[str, str]
) -> str:
    """The whole file."""
    counts = Counter(result.outcome for result in results)
    totals = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped"))
    lines = ["# Limits under cgroup version 2", ""]
    lines += [f"- {name}: {text}" for name, text in {**facts, "tests": totals}.items()]
    lines += ["", "An emulated machine is slow; times are not those of Lampion elsewhere.", "", "## Figures", ""]
    lines += ["| What | Found |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in figures.items()]
    for outcome, title in (("failed", "Tests that failed"), ("skipped", "Tests that were skipped")):
        chosen = [result for result in results if result.outcome == outcome]
        if chosen:
            lines += ["", f"## {title}", "", *(f"- `{each.module}::{each.name}`: {each.why}" for each in chosen)]
    if left_out:
        lines += ["", "## Tests left out", "", *(f"- `{name}`: {why}" for name, why in left_out.items())]
    lines += ["", "## Tests that passed", ""]
    return "\n".join((*lines, *_passed(results), ""))


def _passed(results: Sequence[Result]) -> list[str]:
    """One line for each test function, with the number of its cases."""
    cases = Counter(
        f"{result.module}::{result.name.partition('[')[0]}" for result in results if result.outcome == "passed"
    )
    return [f"- `{name}`" + (f", {count} cases" if count > 1 else "") for name, count in cases.items()]
