"""`lampion metrics`: what functions did since the server started, as a table."""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from lampion.cli.client import Call, ask
from lampion.cli.location import find_server
from lampion.cli.terminal import shown

_ANSWER_SECONDS = 10.0
_UNITS: Final = {"Duration": " ms", "PostRuntimeExtensionsDuration": " ms", "AsyncEventAge": " ms"}
_TITLES: Final = ("FUNCTION", "INVOCATIONS", "ERRORS", "THROTTLES", "DURATION AVG", "DURATION MAX", "CONCURRENT MAX")


@click.command("metrics")
@click.argument("name", required=False)
@click.option("--data", metavar="DIR", help="Data directory of the server to call.")
def command(name: str | None, data: str | None) -> None:
    """Print what functions did since the server started.

    One line for each function; with NAME every metric of that function, and of each version and alias that was invoked.
    The names are those of AWS's metrics; durations are in milliseconds.

    \b
    Examples:
      lampion metrics
      lampion metrics hello
    """
    segments = ("_lampion", "metrics") if name is None else ("_lampion", "metrics", name)
    page = json.loads(ask(find_server(data), Call("GET", segments), timeout_seconds=_ANSWER_SECONDS).body)
    lines = _overview(page["functions"]) if name is None else _detail(page["functions"])
    for line in lines:
        click.echo(shown(line, sys.stdout))


def _overview(functions: Sequence[dict[str, Any]]) -> Iterator[str]:
    rows = [_TITLES, *(_row(one["FunctionName"], one["metrics"]) for one in functions)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    for row in rows:
        numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield "  ".join((row[0].ljust(widths[0]), *numbers))


def _row(name: str, metrics: dict[str, Any]) -> tuple[str, ...]:
    counts = (str(metrics.get(count, 0)) for count in ("Invocations", "Errors", "Throttles"))
    duration, concurrent = metrics.get("Duration"), metrics.get("ConcurrentExecutions")
    average, most = ("-", "-") if duration is None else (_average(duration), f"{duration['Maximum']:.2f}")
    return (name, *counts, average, most, "-" if concurrent is None else f"{concurrent['Maximum']:.0f}")


def _detail(functions: Sequence[dict[str, Any]]) -> Iterator[str]:
    for function in functions:
        yield function["FunctionName"]
        yield from _metrics(function["metrics"])
        for resource in function["resources"]:
            yield f"{resource['Resource']} (version {resource['ExecutedVersion']})"
            yield from _metrics(resource["metrics"])


def _metrics(metrics: dict[str, Any]) -> Iterator[str]:
    for name, value in sorted(metrics.items()):
        if isinstance(value, dict):
            unit = _UNITS.get(name, "")
            told = f"average {_average(value)}{unit}, maximum {value['Maximum']:g}{unit} of {value['SampleCount']}"
        else:
            told = str(value)
        yield f"  {name}: {told}"


def _average(statistics: dict[str, float]) -> str:
    return f"{statistics['Sum'] / statistics['SampleCount']:.2f}"
