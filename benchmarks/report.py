"""A run as a Markdown page and as a JSON document. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from benchmarks.facts import Facts, without_places
from benchmarks.results import (
    AWS_INIT,
    OUR_INIT,
    RAW_ECHO,
    RESOLVED_RATIO,
    SQLITE_BATCH,
    TWO_HOP,
    Results,
    controls,
    median_of,
    ratio,
)
from benchmarks.targets import Verdict, judge
from benchmarks.workloads.workload import Effort, Workload

COLUMNS = {
    "warm_c1": ("p99 µs", "rate 1/s", "CPU µs/request", "PSS MiB"),
    "warm_c16": ("p99 µs", "CPU µs/request", "PSS MiB"),
    "boto3_felt": ("boto3 p50 ms", "boto3 p99 ms", "CPU µs/request", "PSS MiB"),
    "cold_first": (),
    "cold_runtimes": (OUR_INIT, AWS_INIT),
    "cold_burst": ("first answer p50 ms", "first answer p99 ms", "CPU ms/sandbox", "PSS MiB"),
    "payload_6mb": ("p95 ms", "CPU µs/request", "server grew by MiB"),
    "stream_64mb": ("of a long one, ms", "MiB/s", "CPU ms/MiB", "server grew by MiB"),
    "async_durable": ("p50 µs", "p99 µs", "CPU µs/request", "PSS MiB"),
    "async_drain": ("CPU µs/request", "PSS MiB"),
    "density": (
        "sandboxes",
        "of which server MiB each",
        "idle CPU % of a core",
        "c1 p50 µs, one",
        "c1 p50 µs, all",
        "c1 p50, all / one",
        "PSS MiB",
    ),
}
COMPARED: dict[str, tuple[str, ...]] = {
    "cold_first": ("x python_pass", "p95 ms"),
    "cold_burst": (),
    "cold_runtimes": (),
    "density": (),
    "payload_6mb": ("x SHA-256",),
    "stream_64mb": (),
    "async_durable": (f"x {SQLITE_BATCH}",),
    "async_drain": (),
}
"""Instead of the two floors' columns."""
ABSENT = "-"


def number(value: float | None) -> str:
    """Three significant digits, and no exponent."""
    if value is None:
        return ABSENT
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.4f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def markdown(facts: Facts, effort: Effort, results: Results, workloads: Sequence[Workload]) -> str:
    """The whole page."""
    units = {workload.name: workload.unit for workload in workloads}
    parts = [
        f"# Benchmark of {facts.taken_at}, commit {facts.commit}",
        _circumstances(facts, effort),
        _controls(results, units),
    ]
    parts += [_workload(results, workload) for workload in workloads if workload.name in results.samples]
    parts += [_targets(results), _absent(results), _failures(results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _circumstances(facts: Facts, effort: Effort) -> str:
    machine = "; ".join(f"{name}: {value}" for name, value in facts.machine.items())
    versions = ", ".join(f"{name} {value}" for name, value in facts.versions.items())
    return "\n".join(
        (
            f"* Command: `{facts.command}`",
            f"* Machine: {machine}",
            f"* Versions: {versions}",
            f"* {effort.repeats} repeats, interleaved, one system running at a time; medians. A ratio is the system's "
            "value over the reference's. Load and system share the cores. CPU and PSS are of the whole process tree.",
        )
    )


def _controls(results: Results, units: Mapping[str, str]) -> str:
    rows = []
    for control in controls(results):
        times = number(control.ratio)
        verdict = "holds" if control.resolved else f"**does not hold: ratios below {times} mean nothing**"
        difference = f"{number(control.difference)} {units[control.workload]}"
        rows.append([control.workload, control.system, times, difference, verdict])
    if not rows:
        return ""
    head = ("workload", "system measured twice", "ratio", "difference", f"A/A control (< {RESOLVED_RATIO})")
    return f"## A/A control\n\n{table(head, rows)}"


def _workload(results: Results, workload: Workload) -> str:
    head = ["system", f"median {workload.unit}", "min - max", "n"]
    head += [*COMPARED.get(workload.name, ("x two_hop", "x raw_echo")), *COLUMNS[workload.name], "wrong answers"]
    rows = [_row(results, workload.name, system) for system in results.samples[workload.name]]
    rie_rate = median_of([sample.requests_per_second for sample in results.of("warm_c1", "rie")])
    if workload.name == "warm_c16" and rie_rate is not None:
        rows.append(["rie, one connection", number(rie_rate), *[ABSENT] * (len(head) - 2)])
    title = f"## {workload.name}: {workload.metric}, {workload.unit} ({workload.better} is better)"
    return f"{title}\n\n{table(head, rows)}"


def _row(results: Results, workload: str, system: str) -> list[str]:
    values = results.values(workload, system)
    samples = results.of(workload, system)
    middle = median_of(values)
    span = f"{number(min(values))} - {number(max(values))}" if values else ABSENT
    row = [system, number(middle), span, str(len(values)), *_comparisons(results, workload, system)]
    told: dict[str, list[float | None]] = {
        "p99 µs": [sample.p99 for sample in samples],
        "boto3 p50 ms": [sample.value for sample in samples],
        "boto3 p99 ms": [sample.p99 for sample in samples],
        "rate 1/s": [sample.requests_per_second for sample in samples],
        "CPU µs/request": [sample.cpu_microseconds_per_request for sample in samples],
        "PSS MiB": [sample.pss_mib for sample in samples],
    }
    for column in COLUMNS[workload]:
        row.append(number(median_of(told.get(column) or [sample.more.get(column) for sample in samples])))
    wrong = sum(sample.wrong_answers for sample in samples)
    return [*row, f"**{wrong:,}**" if wrong else "0"]


def _comparisons(results: Results, workload: str, system: str) -> list[str]:
    middle = results.median(workload, system)
    if workload == "cold_first":
        values = sorted(results.values(workload, system))
        p95 = values[min(len(values) - 1, int(0.95 * len(values)))] if values else None
        return [number(ratio(middle, results.cold_yardstick(system))), number(p95)]
    if workload == "payload_6mb":
        return [number(ratio(middle, results.hashing(system)))]
    if workload == "async_durable":
        return [number(ratio(middle, results.median(workload, SQLITE_BATCH)))]
    if workload in COMPARED:
        return []
    whole, raw = results.whole_median(workload, system), results.whole_median(workload, RAW_ECHO)
    return [number(ratio(middle, results.median(workload, TWO_HOP))), number(ratio(whole, raw))]


def _targets(results: Results) -> str:
    verdicts = [verdict for verdict in judge(results) if verdict.met is not None]
    if not verdicts:
        return ""
    rows = [_verdict(verdict) for verdict in verdicts]
    return f"## Targets\n\n{table(('target', '', 'measured', 'bound', 'verdict'), rows)}"


def _verdict(verdict: Verdict) -> list[str]:
    target = verdict.target
    bound = f"{target.relation} {number(target.bound)}"
    return [target.text, target.kind, number(verdict.measured), bound, "met" if verdict.met else "**missed**"]


def _absent(results: Results) -> str:
    if not results.absent:
        return ""
    rows = [[row, workload, without_places(why).replace("|", "/")] for (workload, row), why in results.absent.items()]
    return f"## Not offered\n\n{table(('system', 'workload', 'why'), rows)}"


def _failures(results: Results) -> str:
    if not results.failures:
        return ""
    rows = [
        [failure.system, failure.workload, str(failure.repeat), without_places(failure.reason).replace("|", "/")]
        for failure in results.failures
    ]
    return f"## Not measured\n\n{table(('system', 'workload', 'repeat', 'reason'), rows)}"


def document(facts: Facts, effort: Effort, results: Results, workloads: Sequence[Workload]) -> str:
    """Everything measured, as JSON."""
    cells = {
        workload.name: {
            "metric": workload.metric,
            "unit": workload.unit,
            "better": workload.better,
            "systems": {system: _cell(results, workload.name, system) for system in results.samples[workload.name]},
        }
        for workload in workloads
        if workload.name in results.samples
    }
    told = {
        "schema": 1,
        **asdict(facts),
        "effort": asdict(effort),
        "controls": [{**asdict(control), "holds": control.resolved} for control in controls(results)],
        "workloads": cells,
        "targets": [
            {
                "target": one.target.text,
                "kind": one.target.kind,
                "measured": one.measured,
                "relation": one.target.relation,
                "bound": one.target.bound,
                "met": one.met,
            }
            for one in judge(results)
        ],
        "not_offered": [
            {"workload": workload, "system": row, "why": without_places(why)}
            for (workload, row), why in results.absent.items()
        ],
        "not_measured": [{**asdict(one), "reason": without_places(one.reason)} for one in results.failures],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _cell(results: Results, workload: str, system: str) -> dict[str, object]:
    middle = results.median(workload, system)
    yardstick = "python_pass" if workload == "cold_first" else TWO_HOP
    yardstick_median = results.cold_yardstick(system) if workload == "cold_first" else results.median(workload, TWO_HOP)
    whole, raw = results.whole_median(workload, system), results.whole_median(workload, RAW_ECHO)
    return {
        "median": middle,
        f"ratio_to_{yardstick}": ratio(middle, yardstick_median),
        "ratio_to_raw_echo": ratio(whole, raw),
        "samples": [asdict(sample) for sample in results.of(workload, system)],
    }
