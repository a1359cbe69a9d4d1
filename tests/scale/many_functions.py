"""A store full of functions and versions: `python -m tests.scale.many_functions`.

How long a server takes to start on it, to list it page by page, and to invoke one of its functions, beside a server
with few functions in the same run.
"""

import argparse
import asyncio
import http.client
import itertools
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import structs

from lampion.clock.clock import SystemClock
from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function
from lampion.domain.version import counted, published
from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.functions import SqliteFunctions
from tests.deployment import creation, wait_active
from tests.live_server import LiveServer, marked_directory

_ROOT = Path(__file__).resolve().parents[2]
_CLOCK = SystemClock()
_SOURCE = "def handler(event, context):\n    return event\n"
_AT_ONCE = 256
_MOST_PAGE_MS = 300.0
_MOST_START_SECONDS = 1.0
_MOST_RATIO = 1.15
_ROUNDS = 7
_INVOCATIONS = 400
_FEW = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured; times of single requests in milliseconds."""

    functions: int
    versions: int
    database_mib: float
    start_seconds: Sequence[float]
    start_seconds_few: Sequence[float]
    pages_ms: Sequence[float]
    pages_with_versions_ms: Sequence[float]
    invoke_ms: Sequence[float]
    invoke_ms_few: Sequence[float]
    invoke_ms_few_again: Sequence[float]

    @property
    def ratio(self) -> float:
        return median(self.invoke_ms) / median(self.invoke_ms_few)

    @property
    def control(self) -> float:
        """The server with few functions against itself."""
        return median(self.invoke_ms_few_again) / median(self.invoke_ms_few)

    @property
    def holds(self) -> bool:
        slowest_page = max(*self.pages_ms, *self.pages_with_versions_ms)
        starts = median(self.start_seconds) <= _MOST_START_SECONDS
        return starts and slowest_page <= _MOST_PAGE_MS and self.ratio <= _MOST_RATIO


def fill(server: LiveServer, functions: int, versions: int) -> None:
    """So many functions with so many versions each, all of one package; the server must be stopped afterwards."""
    client = server.start().client()
    client.create_function(**creation("model", _SOURCE))
    wait_active(client, "model")
    client.close()
    region = server.server.region
    server.stop()
    asyncio.run(
        _multiply(server.data / "lampion.db", FunctionKey("123456789012", region, "model"), functions, versions)
    )


async def _multiply(path: Path, key: FunctionKey, functions: int, versions: int) -> None:
    database = await open_database(path)
    stored = SqliteFunctions(database)
    model = await stored.get(key)
    assert model is not None
    names = iter(f"function-{number:06}" for number in range(functions))
    while batch := list(itertools.islice(names, _AT_ONCE)):
        await asyncio.gather(*(_publish(stored, model, name, versions) for name in batch))
    await database.close()


async def _publish(stored: SqliteFunctions, model: Function, name: str, versions: int) -> None:
    latest = replace(model, key=structs.replace(model.key, name=name), revision_id=f"{name}-0")
    await stored.insert(latest)
    for number in range(1, versions + 1):
        after = counted(latest, revision_id=f"{name}-{number}")
        version = published(after, description=f"version {number}", revision_id=f"{name}-v{number}")
        await stored.replace(after, expected_revision_id=latest.revision_id, published=version)
        latest = after


def started(server: LiveServer) -> float:
    """Seconds from the command to the listening server."""
    began = _CLOCK.monotonic()
    server.start()
    return _CLOCK.monotonic() - began


def pages_ms(client: Any, **arguments: Any) -> Iterator[float]:
    """Every page of ListFunctions."""
    marker: str | None = None
    while True:
        began = _CLOCK.monotonic()
        page = client.list_functions(**arguments, **({"Marker": marker} if marker else {}))
        yield 1000 * (_CLOCK.monotonic() - began)
        marker = page.get("NextMarker")
        if marker is None:
            return


def invocations_ms(server: LiveServer, name: str, count: int) -> list[float]:
    """One after the other, over one connection."""
    host = server.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    taken = []
    for _ in range(count):
        began = _CLOCK.monotonic()
        connection.request("POST", f"/2015-03-31/functions/{name}/invocations", b"{}")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"{}")
        taken.append(1000 * (_CLOCK.monotonic() - began))
    connection.close()
    return taken


def measure(functions: int, versions: int, rounds: int, invocations: int) -> Figures:
    """All of it."""
    with marked_directory() as root, ExitStack() as stack:
        # Open: signatures would cost the caller more than the server needs for an answer.
        many, few = (LiveServer(data=root / name, options=("--auth", "open")) for name in ("many", "few"))
        fill(many, functions, versions)
        fill(few, min(_FEW, functions), 1)
        starts: dict[str, list[float]] = {"many": [], "few": []}
        for server, name in ((many, "many"), (few, "few")) * 3:
            server.stop()
            starts[name].append(started(server))
        for server in (many, few):
            stack.callback(server.stop)
        client = many.client()
        plain, with_versions = list(pages_ms(client)), list(pages_ms(client, FunctionVersion="ALL"))
        client.close()
        name = "function-000000"
        taken: dict[str, list[float]] = {"many": [], "few": [], "again": []}
        for which, server in ((which, few if which != "many" else many) for _ in range(rounds) for which in taken):
            taken[which].append(median(invocations_ms(server, name, invocations)))
        size = (many.data / "lampion.db").stat().st_size / 2**20
        return Figures(
            *(functions, versions, size, starts["many"], starts["few"], plain, with_versions),
            *(taken["many"], taken["few"], taken["again"]),
        )


def page(figures: Figures) -> str:
    """The text of the result page."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    rows = [
        ("start to listening, median, s", median(figures.start_seconds), f"<= {_MOST_START_SECONDS:g}"),
        ("start of the server with few, s", median(figures.start_seconds_few), ""),
        ("page of ListFunctions, median, ms", median(figures.pages_ms), ""),
        ("page of ListFunctions, slowest, ms", max(figures.pages_ms), f"<= {_MOST_PAGE_MS:g}"),
        ("page with FunctionVersion=ALL, median, ms", median(figures.pages_with_versions_ms), ""),
        ("page with FunctionVersion=ALL, slowest, ms", max(figures.pages_with_versions_ms), f"<= {_MOST_PAGE_MS:g}"),
        ("warm invoke, p50, ms", median(figures.invoke_ms), ""),
        ("warm invoke with few, p50, ms", median(figures.invoke_ms_few), ""),
        ("invoke, ratio to few", figures.ratio, f"<= {_MOST_RATIO:g}"),
        ("A/A control of the ratio", figures.control, ""),
    ]
    return "\n".join(
        [
            "# A store full of functions",
            "",
            "- command: `make scale`",
            f"- date: {datetime.now(UTC):%Y-%m-%d}",
            f"- commit: {commit}",
            f"- machine: {os.cpu_count()} processors",
            f"- {figures.functions} functions with {figures.versions} versions each, "
            f"database {figures.database_mib:.0f} MiB; the other server has {min(_FEW, figures.functions)} functions",
            f"- {len(figures.pages_ms)} and {len(figures.pages_with_versions_ms)} pages of 50, all there are",
            "",
            "| What | Measured | Promised |",
            "|---|---|---|",
            *(f"| {what} | {value:.2f} | {promise} |" for what, value, promise in rows),
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scale.many_functions")
    parser.add_argument("--functions", type=int, default=10_000)
    parser.add_argument("--versions", type=int, default=10)
    parser.add_argument("--result", type=Path, help="write the result page there")
    asked = parser.parse_args()
    figures = measure(asked.functions, asked.versions, _ROUNDS, _INVOCATIONS)
    text = page(figures)
    print(text)
    if asked.result:
        asked.result.write_text(text)
    return 0 if figures.holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
