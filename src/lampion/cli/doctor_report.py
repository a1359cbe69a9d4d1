"""What `lampion doctor` found, as a value, and how it is written for people and for programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from lampion.cli.runtime_rows import FoundRuntime
from lampion.sandbox.driver import Finding, Grade

_MEANING: Final = {
    Grade.NONE: "functions run as ordinary processes: no isolation, run only your own code",
    Grade.BASIC: "functions see neither your files nor each other; not for code that you don't trust",
    Grade.STRONG: "functions are also held by system call filters; fit for code that you don't trust",
    Grade.MICROVM: "functions run in virtual machines of their own",
}


@dataclass(frozen=True, slots=True)
class DataState:
    """The data directory, and where its server listens if one runs."""

    path: str
    server: str | None


@dataclass(frozen=True, slots=True)
class Room:
    """The execution environments that a server would have at most, and the memory that these may use together."""

    environments: int
    memory_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that `lampion doctor` tells; `asdict` of it is the JSON."""

    version: str
    driver: str
    grade: Grade
    memory_limit: bool
    cpu_limit: bool
    private_file_system: bool
    private_network: bool
    room: Room
    runtimes: Mapping[str, FoundRuntime]
    architectures: Mapping[str, str]
    data: DataState
    findings: Sequence[Finding]


def as_json(report: Report) -> str:
    return json.dumps(asdict(report), indent=2)


def as_text(report: Report) -> str:
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield f"lampion {report.version}"
    yield ""
    yield f"isolation   grade {report.grade.value}, driver {report.driver}: {_MEANING[report.grade]}"
    yield f"  memory limit         {_yes(report.memory_limit)}"
    yield f"  CPU limit            {_yes(report.cpu_limit)}"
    yield f"  private file system  {_yes(report.private_file_system)}"
    yield f"  private network      {_yes(report.private_network)}"
    yield ""
    yield f"room        {report.room.environments} execution environments, {report.room.memory_mib} MiB for all of them"
    yield ""
    yield "runtimes" if report.runtimes else "runtimes    none found"
    for runtime, found in report.runtimes.items():
        close, sdk = " (close)" if found.is_close else "", f"  {found.sdk}" if found.sdk else ""
        yield f"  {runtime:16} {found.version:10} {found.executable}{close}{sdk}"
    yield ""
    yield "architectures"
    for architecture, runs_by in report.architectures.items():
        yield f"  {architecture:12} {runs_by}"
    yield ""
    yield f"data        {report.data.path}"
    yield f"  {f'server at {report.data.server}' if report.data.server else 'no server runs on it'}"
    yield ""
    yield f"to mend     {len(report.findings) or 'nothing'}"
    for finding in report.findings:
        yield f"  {finding.name}: {finding.effect}"
        yield f"    fix: {finding.mend}"


def _yes(is_there: bool) -> str:
    return "yes" if is_there else "no"
