"""`python -m benchmarks.overload`: measure on a server of its own, print the page, write it where that is asked."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import facts
from benchmarks.overload.page import holds, page
from benchmarks.overload.scenario import SCENARIOS, measure
from benchmarks.systems.lampion_server import serving
from benchmarks.systems.system import Scratch


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all that is promised holds; 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="how long the overload lasts (default 10)")
    parser.add_argument("--result", type=Path, help="write the page there")
    parser.add_argument("--verbose", action="store_true", help="show what the server prints")
    options = parser.parse_args(arguments)
    circumstances = facts.gather(f"python -m benchmarks.overload --seconds {options.seconds}", ())
    all_figures = []
    for scenario in SCENARIOS:
        print(f"{scenario.name}: bounded by {scenario.bound}", file=sys.stderr, flush=True)
        with _scratch(verbose=options.verbose) as scratch, serving(scratch, ()) as server:
            all_figures.append(measure(server, scenario, options.seconds))
    text = page(circumstances, all_figures, options.seconds)
    print(text)
    if options.result is not None:
        options.result.write_text(text, encoding="utf-8")
    return 0 if holds(all_figures) else 1


@contextmanager
def _scratch(*, verbose: bool) -> Iterator[Scratch]:
    directory = Path(tempfile.mkdtemp(prefix="lampion-test-overload-"))
    output = os.dup(2) if verbose else os.open(os.devnull, os.O_WRONLY)
    try:
        yield Scratch(directory, output)
    finally:
        os.close(output)
        shutil.rmtree(directory, ignore_errors=True)


def _leave(signum: int, frame: object) -> None:
    """Ends the run, and with it the server."""
    signal.signal(signum, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _leave)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
