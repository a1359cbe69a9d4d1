"""Spans of time as people type them."""

import re
from typing import Final

import click

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def read_duration(context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    """Option callback: seconds in 90s, 10m, 2h or 1d."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is not a span of time; write 90s, 10m, 2h or 1d", context, parameter)
    return int(match[1]) * _SECONDS[match[2]]
