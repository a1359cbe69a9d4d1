"""The result page of an overload, and whether it holds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.facts import Facts
from benchmarks.overload.scenario import EVENT_EVERY, EVENTS, REFUSED, SYNC, TIMES_PEAK, Figures
from benchmarks.report import number, table

LEAST_GOODPUT = 0.9
MOST_GROWTH_MIB = 256.0
MOST_FIRST_ANSWER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """One row: what, the value (or two), and in words what was promised of it; "" where nothing was."""

    what: str
    value: float
    promise: str = ""
    holds: bool = True
    also: float | None = None

    @property
    def text(self) -> str:
        return number(self.value) if self.also is None else f"{number(self.value)} and {number(self.also)}"


def lines(figures: Figures) -> list[Line]:
    """All that is told of one scenario."""
    share, growth = figures.goodput / figures.peak, figures.memory_peak_mib - figures.memory_before_mib
    after, first = figures.rate_after / figures.peak, figures.first_answer_seconds
    seen = figures.seen
    return [
        Line("peak rate before, 1/s", figures.peak),
        Line("requests sent, 1/s", seen.sent / seen.took_seconds),
        Line("goodput: answers and ended events, 1/s", figures.goodput),
        Line("goodput / peak", share, f">= {LEAST_GOODPUT:g}", share >= LEAST_GOODPUT),
        Line("goodput / peak, for each second of processor that the load left", figures.yield_share),
        Line("processors used by the load, at the peak and now, cores", figures.peak_use.load, also=figures.use.load),
        Line("processors used by the server and its functions", figures.peak_use.system, also=figures.use.system),
        Line("invokes answered in time", seen.in_time[SYNC]),
        Line("invokes answered, p99, s", seen.p99_seconds(SYNC)),
        Line("events accepted", seen.count(EVENTS, 202)),
        Line("events accepted, p99, s", seen.p99_seconds(EVENTS)),
        Line("events ended in time", figures.events_ended),
        *(Line(f"refused with {status}", seen.count(SYNC, status) + seen.count(EVENTS, status)) for status in REFUSED),
        Line("neither done nor refused", figures.neither, "0", figures.neither == 0),
        Line("accepted events that didn't end well", figures.events_not_well, "0", figures.events_not_well == 0),
        Line("memory of the server before, MiB", figures.memory_before_mib),
        Line("memory of the server, growth at most, MiB", growth, f"<= {MOST_GROWTH_MIB:g}", growth <= MOST_GROWTH_MIB),
        Line(
            "afterwards: seconds until an invoke was answered",
            first,
            f"<= {MOST_FIRST_ANSWER_SECONDS:g}",
            first <= MOST_FIRST_ANSWER_SECONDS,
        ),
        Line("afterwards: seconds until all events had ended", figures.drained_seconds),
        Line("afterwards: rate / peak", after, f">= {LEAST_GOODPUT:g}", after >= LEAST_GOODPUT),
    ]


def holds(all_figures: Sequence[Figures]) -> bool:
    return all(line.holds for figures in all_figures for line in lines(figures))


def page(facts: Facts, all_figures: Sequence[Figures], seconds: float) -> str:
    """The whole page."""
    machine = "; ".join(f"{name}: {value}" for name, value in facts.machine.items())
    parts = [
        "# Overload",
        "\n".join(
            (
                f"- command: `{facts.command}`",
                f"- date: {facts.taken_at[:10]}",
                f"- commit: {facts.commit}",
                f"- machine: {machine}",
                f"- {TIMES_PEAK:g} times the peak rate for {seconds:g} s, whether answers come or not; "
                f"one request of {EVENT_EVERY} is an event. Load and server share the cores.",
            )
        ),
    ]
    for figures in all_figures:
        rows = [
            [line.what, line.text, line.promise if line.holds else f"{line.promise}: **missed**"]
            for line in lines(figures)
        ]
        parts.append(f"## {figures.scenario.name}: bounded by {figures.scenario.bound}")
        parts.append(table(("What", "Measured", "Promised"), rows))
        if figures.neither:
            parts.append(f"Neither done nor refused: {_ends(figures)}.")
    return "\n\n".join(parts) + "\n"


def _ends(figures: Figures) -> str:
    ends = figures.seen.ends[SYNC] + figures.seen.ends[EVENTS]
    return ", ".join(f"{end} {count}" for end, count in ends.items() if end not in {200, 202, *REFUSED})
