"""What an OCI runtime really provides on this machine: a container is made, and reports what it sees from inside."""

import contextlib
import json
import os
import select
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lampion.sandbox.driver import Capabilities, Finding, Grade, SandboxError
from lampion.sandbox.launcher.daemon import receive
from lampion.sandbox.launcher.messages import Ended, Failed, Prepared, Running
from lampion.sandbox.oci.cgroup_files import CgroupFiles, find_cgroup_files
from lampion.sandbox.oci.containers import Begun, Containers
from lampion.sandbox.oci.runtime import INSTALL
from lampion.sandbox.spec import Limits, Mount, SandboxSpec

_TRIAL_SECONDS: Final = 20.0
_INTERPRETER: Final = f"/var/lang/bin/python{sys.version_info.major}.{sys.version_info.minor}"
# Tells what it sees, and stays until it has been looked at from outside.
_PROGRAM: Final = """
import json, os, socket
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
keys = ("Seccomp", "NoNewPrivs", "CapBnd")
report = {key: status.get(key, "").strip() for key in keys}
report["kernel"] = " ".join((os.uname().release, os.uname().version))
api = socket.create_connection(("127.0.0.1", 9001), timeout=10)
os.write(3, json.dumps(report).encode())
api.recv(1)
"""
_EFFECTS: Final = {
    "memory": "a function may use all memory of the machine",
    "cpu": "a function may use all processors whatever its MemorySize",
    "pids": "a function may start as many processes as its user may",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What the trial found out; `problem` is empty when the container did what it should."""

    problem: str = ""
    is_filtered: bool = False
    is_powerless: bool = False
    has_own_kernel: bool = False
    controllers: frozenset[str] = frozenset()


def examine_oci(command: tuple[str, ...], parent: str) -> Capabilities:
    """What the OCI driver provides here."""
    capabilities, containers = choose_containers(command, parent)
    containers.close()
    return capabilities


def choose_containers(command: tuple[str, ...], parent: str) -> tuple[Capabilities, Containers]:
    """Try the runtime, in the view of this machine's cgroups that it can bear. Takes some 0.2 s."""
    containers = Containers(command, parent)
    if os.geteuid() != 0:
        return assess(command, Report("the server isn't root"), is_root=False), containers
    report = try_container(containers)
    if "cgroup" in report.problem:
        containers.close()
        containers = Containers(command, parent, has_unified_view=True)
        again = try_container(containers)
        report = report if again.problem else again
    return assess(command, report, has_unified_view=containers.has_unified_view), containers


def assess(
    command: tuple[str, ...], report: Report, *, is_root: bool = True, has_unified_view: bool = False
) -> Capabilities:
    """The grade, and a finding for each gap. Pure."""
    if report.problem:
        return Capabilities(Grade.NONE, False, False, False, False, (_obstacle(command, report.problem, is_root),))
    findings = [
        Finding(f"cgroup-{name}", effect, _limits_mend(has_unified_view))
        for name, effect in _EFFECTS.items()
        if name not in report.controllers
    ]
    if not report.is_filtered and not report.has_own_kernel:
        mend = "use a runtime that is built with seccomp"
        findings.append(Finding("seccomp", "a function may make every system call", mend))
    if not report.is_powerless:
        mend = "use a runtime that obeys noNewPrivileges and an empty set of capabilities"
        findings.append(Finding("privileges", "a function may gain privileges in its sandbox", mend))
    return Capabilities(
        grade=Grade.BASIC if findings else Grade.STRONG,
        memory_limit="memory" in report.controllers,
        cpu_limit="cpu" in report.controllers,
        private_file_system=True,
        private_network=True,
        findings=tuple(findings),
        companions=True,
    )


def try_container(containers: Containers) -> Report:
    """Make one, hear what it says of itself, and see it off."""
    spec = SandboxSpec(
        sandbox_id="trial",
        argv=(_INTERPRETER, "-I", "-S", "-c", _PROGRAM),
        environ={},
        working_directory="/",
        mounts=(Mount(Path(sys.base_prefix), "/var/lang"),),
        limits=Limits(memory_mib=128, cpu_cores=1),
    )
    try:
        begun = containers.begin(spec)
    except SandboxError as error:
        return Report(str(error))
    with contextlib.ExitStack() as stack:
        stack.callback(containers.give_back, begun)
        stack.callback(begun.keeper.wait)
        stack.callback(begun.launched.close_pipes)
        stack.enter_context(begun.launched.control)  # its end is the container's
        begun.launched.control.settimeout(_TRIAL_SECONDS)
        try:
            return _converse(begun, containers)
        except TimeoutError:
            return Report(f"no answer within {_TRIAL_SECONDS:g} s")
        except OSError as error:
            return Report(f"the keeper: {error}")


def _converse(begun: Begun, containers: Containers) -> Report:
    control = begun.launched.control
    with contextlib.ExitStack() as stack:
        listeners: list[socket.socket] = []
        while True:
            message, descriptors = receive(control)
            if isinstance(message, Prepared):
                listeners = [stack.enter_context(socket.socket(fileno=descriptor)) for descriptor in descriptors]
            elif isinstance(message, Failed):
                return Report(message.text)
            elif message is None or isinstance(message, Ended):
                return Report("the container ended too early")
            elif isinstance(message, Running):
                break
        listener = listeners[0]
        if listener not in select.select([listener, control], [], [], _TRIAL_SECONDS)[0]:
            return Report(f"the Runtime API isn't reached from inside: {_output(begun)}")
        peer = stack.enter_context(listener.accept()[0])
        peer.settimeout(_TRIAL_SECONDS)
        if not select.select([begun.launched.telemetry], [], [], _TRIAL_SECONDS)[0]:
            return Report("descriptor 3 doesn't reach the server")
        told: dict[str, Any] = json.loads(os.read(begun.launched.telemetry, 4096))
        return _report(told, _files(begun), containers)


def _report(told: dict[str, Any], files: CgroupFiles, containers: Containers) -> Report:
    # What was asked for holds if the container is where it was to be.
    is_placed = files.peak_file is not None or files.cpu_file is not None
    return Report(
        is_filtered=told["Seccomp"] == "2",
        is_powerless=told["NoNewPrivs"] == "1" and int(told["CapBnd"] or "1", 16) == 0,
        has_own_kernel=told["kernel"] != " ".join((os.uname().release, os.uname().version)),
        controllers=frozenset(containers.layout.controllers) if is_placed else frozenset(),
    )


def _files(begun: Begun) -> CgroupFiles:
    try:
        process = int((begun.bundle / "pid").read_text())
        return find_cgroup_files(Path(f"/proc/{process}/cgroup").read_text(), begun.cgroup_name)
    except (OSError, ValueError):
        return CgroupFiles()


def _output(begun: Begun) -> str:
    try:
        return os.read(begun.launched.output, 4096).decode(errors="replace")[-300:].strip()
    except OSError:
        return "it says nothing"


def _obstacle(command: tuple[str, ...], problem: str, is_root: bool) -> Finding:
    effect = f"the OCI runtime {command[0]} makes no sandboxes: {problem}"
    if not is_root:
        return Finding("oci-runtime", effect, "start the server as root")
    if problem.startswith("there is no"):
        return Finding("oci-runtime", effect, INSTALL)
    if "Runtime API" in problem:
        return Finding(
            "oci-runtime", effect, "let the runtime use the network it is started in: --network=host for runsc"
        )
    return Finding("oci-runtime", effect, "use another one: --oci-runtime runc")


def _limits_mend(has_unified_view: bool) -> str:
    if has_unified_view:
        return "--oci-runtime runc, or boot with systemd.unified_cgroup_hierarchy=1"
    return "in a container: docker run --privileged --cgroupns=private"
