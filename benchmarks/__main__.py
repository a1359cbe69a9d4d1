"""`python -m benchmarks`: choose, measure, print the page, write the results."""

import argparse
import signal
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import facts, report
from benchmarks.run import run
from benchmarks.systems.catalogue import CHOOSABLE, selected
from benchmarks.workloads.catalogue import WORKLOADS
from benchmarks.workloads.workload import SMOKE, Effort

ENDING = (signal.SIGINT, signal.SIGTERM)
RESULTS = Path(__file__).resolve().parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything selected was measured and every answer was right; 1 otherwise."""
    options = _options(arguments)
    effort = SMOKE if options.smoke else Effort()
    if options.repeats is not None:
        effort = replace(effort, repeats=options.repeats)
    if options.idle_sandboxes is not None:
        effort = replace(effort, idle_sandboxes=options.idle_sandboxes)
    workloads = [workload for name, workload in WORKLOADS.items() if name in options.only]
    systems = selected(options.systems, options.only)
    circumstances = facts.gather(_command(options), systems)
    results = run(systems, workloads, effort, verbose=options.verbose, is_over=_is_leaving)
    page = report.markdown(circumstances, effort, results, workloads)
    print(page)
    if not options.smoke:
        document = report.document(circumstances, effort, results, workloads)
        _write(options.results, f"{circumstances.taken_at[:10]}-{circumstances.commit}", page, document)
    return 1 if results.failures or results.wrong_answers() else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures systems in one run, each alone; the references and their A/A control always ride along.",
    )
    parser.add_argument("--only", type=_names(WORKLOADS), default=[*WORKLOADS], metavar="WORKLOAD,...")
    parser.add_argument("--systems", type=_names(CHOOSABLE), default=[*CHOOSABLE], metavar="SYSTEM,...")
    parser.add_argument("--repeats", type=_positive, help="of every cell (default 5)")
    parser.add_argument("--idle-sandboxes", type=_positive, metavar="COUNT", help="of density (default 300)")
    parser.add_argument(
        "--smoke", action="store_true", help="once and short, only to see that it works; writes no files"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    parser.add_argument("--verbose", action="store_true", help="show what the systems print")
    return parser.parse_args(arguments)


def _names(known: Collection[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(known)}")
        return names

    return parse


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1 up")
    return int(text)


def _command(options: argparse.Namespace) -> str:
    """What reproduces this run; where the results went is nobody's business."""
    words = ["python -m benchmarks", "--only", ",".join(options.only), "--systems", ",".join(options.systems)]
    if options.repeats is not None:
        words += ["--repeats", str(options.repeats)]
    if options.idle_sandboxes is not None:
        words += ["--idle-sandboxes", str(options.idle_sandboxes)]
    return " ".join([*words, "--smoke"] if options.smoke else words)


def _write(directory: Path, stem: str, page: str, document: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for suffix, text in ((".md", page), (".json", document)):
        file = directory / f"{stem}{suffix}"
        file.write_text(text, encoding="utf-8")
        print(f"written: {file}", file=sys.stderr)


def _leave(signum: int, frame: object) -> None:
    """Ends the run, and with it the systems, which a second signal must not keep from being ended."""
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _is_leaving() -> bool:
    """Python drops what is raised while it calls a destructor: then the run ends before its next system."""
    return signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


if __name__ == "__main__":
    for ending in ENDING:
        signal.signal(ending, _leave)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
