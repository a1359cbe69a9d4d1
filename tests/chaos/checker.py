"""Compares what a restarted server shows with what its clients know. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.chaos.history import Contents, Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A function as the server shows it. `markers` are those of each part of its configuration."""

    name: str
    code_sha256: str
    markers: tuple[int, ...]
    state: str = "Active"
    last_update_status: str | None = "Successful"
    downloaded_sha256: str = ""
    """Of the zip behind Code.Location; "" when it couldn't be downloaded."""

    @property
    def contents(self) -> Contents:
        return Contents(self.code_sha256, self.markers[0])


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken promise: `kind` is one word for it."""

    kind: str
    text: str


def check(known: Mapping[str, Known], listed: Iterable[Seen]) -> list[Finding]:
    """Everything that is wrong with the functions listed; empty when every acknowledged change is there."""
    seen = {function.name: function for function in listed}
    findings = [finding for function in seen.values() for finding in _whole(function)]
    for name, function in seen.items():
        what = known.get(name)
        if what is None:
            findings.append(Finding("invented", f"{name} was never created"))
        elif function.contents not in what.now and len(set(function.markers)) == 1:
            findings.append(_wrong_contents(function, what))
    for name, what in known.items():
        if name not in seen and None not in what.now:
            findings.append(Finding("lost", f"{name} is gone; it was {_told(what)}"))
    return findings


def _wrong_contents(function: Seen, known: Known) -> Finding:
    is_now = f"{function.name} is {function.contents}; it was {_told(known)}"
    if known.now == {None}:
        return Finding("resurrected", is_now)
    if function.contents in known.ever:
        return Finding("older", is_now)
    codes = {contents.code_sha256 for contents in known.ever if contents is not None}
    markers = {contents.marker for contents in known.ever if contents is not None}
    if function.code_sha256 in codes and function.markers[0] in markers:
        return Finding("mixed", is_now)
    return Finding("invented", is_now)


def _whole(function: Seen) -> list[Finding]:
    """What holds for any function that is listed."""
    findings = []
    if len(set(function.markers)) != 1:
        findings.append(Finding("mixed", f"{function.name} has parts of several configurations: {function.markers}"))
    if function.state != "Active" or function.last_update_status != "Successful":
        text = f"{function.name} is {function.state}, its update {function.last_update_status}"
        findings.append(Finding("stuck", text))
    if function.downloaded_sha256 != function.code_sha256:
        text = f"{function.name}: Code.Location gives {function.downloaded_sha256 or 'nothing'}"
        findings.append(Finding("half-made", f"{text} for {function.code_sha256}"))
    return findings


def _told(known: Known) -> str:
    return " or ".join(sorted("absent" if contents is None else str(contents) for contents in known.now))
