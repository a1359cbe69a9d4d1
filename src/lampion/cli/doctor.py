"""`lampion doctor`: asks the rooms what this machine offers, and prints it."""

import asyncio
import shutil
from datetime import UTC, datetime

import click

import lampion
from lampion.cli.doctor_file_systems import file_system_findings
from lampion.cli.doctor_report import DataState, Report, Room, as_json, as_text
from lampion.cli.doctor_runtimes import runtime_findings, sdk_findings, system_findings
from lampion.cli.failure import ExitCode, Failure
from lampion.cli.runtime_rows import discovered, found_runtime, sdk_of
from lampion.clock.clock import SystemClock
from lampion.code.architectures import ARCHITECTURES, HOST_ARCHITECTURE, emulation_problem, find_emulator
from lampion.config import SettingError, Settings, settings_from
from lampion.config.values import SandboxChoice
from lampion.sandbox.doctor import examine
from lampion.sandbox.driver import Capabilities, Finding, Grade
from lampion.sandbox.network.findings import examine_network
from lampion.sandbox.oci.trial import examine_oci
from lampion.store.data_directory import running_server

_NO_ISOLATION = Capabilities(
    grade=Grade.NONE, memory_limit=False, cpu_limit=False, private_file_system=False, private_network=False
)
_NO_RUNTIME = Finding(
    "runtimes", "no function can run: there is no Python or Node.js that serves one", "apt-get install python3"
)

_NO_SKOPEO = Finding(
    "skopeo",
    "container images can be pushed here, but not loaded from files or taken from other registries",
    "apt-get install skopeo",
)


_LANGUAGES = ("python", "nodejs")


@click.command("doctor")
@click.option("--data", metavar="DIR", help="Data directory to look at. [LAMPION_DATA]")
@click.option("--json", "wants_json", is_flag=True, help="One JSON document on stdout, for programs.")
def command(data: str | None, wants_json: bool) -> None:
    """Say what this machine offers, and how to mend what it doesn't.

    It tries: a real sandbox is made and removed, and every interpreter found is started once. Settings are those
    that `lampion serve` would take from LAMPION_* variables.
    """
    try:
        settings = settings_from({"data": data})
    except SettingError as error:
        raise Failure(ExitCode.USAGE, f"{error.source} {error.value!r} {error.problem}", fix=error.fix) from None
    report = asyncio.run(_examine(settings))
    click.echo(as_json(report) if wants_json else as_text(report))


async def _examine(settings: Settings) -> Report:
    runtimes = {
        name: found_runtime(base, sdk_of(settings, name)) for name, base in (await discovered(settings)).items()
    }
    driver, isolated = _sandboxes(settings)
    network = examine_network(dns=settings.dns_server) if driver == "namespace" else ()
    server = running_server(settings.data)
    return Report(
        version=lampion.__version__,
        driver=driver,
        grade=isolated.grade,
        memory_limit=isolated.memory_limit,
        cpu_limit=isolated.cpu_limit,
        private_file_system=isolated.private_file_system,
        private_network=isolated.private_network,
        room=Room(settings.max_environments, settings.function_memory_bytes // 2**20),
        runtimes=runtimes,
        architectures={name: _runs_by(name) for name in ARCHITECTURES},
        data=DataState(str(settings.data), server.endpoint if server else None),
        findings=[
            *isolated.findings,
            *network,
            *file_system_findings(settings.file_systems, driver),
            *([] if any(name.startswith(_LANGUAGES) for name in runtimes) else [_NO_RUNTIME]),
            *([] if shutil.which("skopeo") else [_NO_SKOPEO]),
            *system_findings(),
            *sdk_findings(runtimes),
            *runtime_findings(settings.data, today=datetime.fromtimestamp(SystemClock().now(), UTC).date()),
        ],
    )


def _runs_by(architecture: str) -> str:
    """What runs programs of it here; why nothing does."""
    if architecture == HOST_ARCHITECTURE:
        return "this machine"
    emulator, problem = find_emulator(architecture), emulation_problem(architecture)
    if problem is not None:
        return "not here: {}; {}".format(*problem)
    return "" if emulator is None else str(emulator.program)


def _sandboxes(settings: Settings) -> tuple[str, Capabilities]:
    """The driver that a server would use, and what it provides."""
    if settings.sandbox is SandboxChoice.PROCESS:
        return "process", _NO_ISOLATION
    if settings.sandbox is SandboxChoice.OCI:
        return "oci", examine_oci(settings.oci_runtime, settings.cgroup_parent)
    isolated = examine(settings.cgroup_parent, settings.data)
    return "process" if isolated.grade is Grade.NONE else "namespace", isolated
