"""What the namespace driver provides on this machine, what it lacks, and the command that mends each gap."""

from pathlib import Path
from typing import Final

from lampion.sandbox.disks import IN_MEMORY, INSTALL_TOOLS
from lampion.sandbox.driver import Capabilities, Finding, Grade
from lampion.sandbox.launcher.build import INSTALL_COMPILER
from lampion.sandbox.machine import MachineFacts, probe

_LEAST_KERNEL: Final = (5, 12)
_CONTROLLER_EFFECTS: Final = {
    "memory": "a function may use all memory of the machine",
    "cpu": "a function may use all processors whatever its MemorySize",
    "pids": "a function may start as many processes as its user may",
}
_SUBORDINATE_IDS: Final = (
    "apt-get install uidmap && usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER"
)


def examine(cgroup_parent: str, scratch: Path | None = None) -> Capabilities:
    """What the namespace driver provides here, with the data of functions in the directory `scratch`."""
    return assess(probe(cgroup_parent, scratch))


def assess(facts: MachineFacts) -> Capabilities:
    """The grade, and a finding for each gap. Pure."""
    works = not facts.trial_problem
    gaps = _missing_limits(facts) + (_missing_walls(facts) if works else ())
    grade = Grade.NONE if not works else Grade.BASIC if gaps else Grade.STRONG
    return Capabilities(
        grade=grade,
        memory_limit=works and "memory" in facts.controllers,
        cpu_limit=works and "cpu" in facts.controllers,
        private_file_system=works,
        private_network=works,
        companions=works,
        findings=(() if works else _obstacles(facts)) + gaps + (_inexactness(facts) if works else ()),
    )


def _obstacles(facts: MachineFacts) -> tuple[Finding, ...]:
    """Why no sandbox could be made, the likely cause before its symptom."""
    effect = "functions can't be isolated by namespaces"
    if not facts.is_linux:
        return (Finding("linux", effect, "run the server on Linux"),)
    findings = []
    if facts.kernel < _LEAST_KERNEL:
        findings.append(Finding("kernel", effect, "install Linux 5.12 or newer"))
    if facts.launcher_problem:
        mend = INSTALL_COMPILER if facts.compiler is None else "python -m lampion.sandbox.launcher.build"
        findings.append(Finding("launcher", facts.launcher_problem, mend))
    if not facts.is_root and not facts.user_namespaces:
        findings.append(Finding("user-namespaces", effect, "sysctl -w user.max_user_namespaces=15000"))
    if not facts.is_root and facts.user_namespaces_restricted:
        mend = "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        findings.append(Finding("apparmor", effect, mend))
    if not facts.launcher_problem:
        mend = "in a container: docker run --privileged" if facts.is_root else "start the server as root"
        findings.append(Finding("sandbox", f"{effect}; the trial failed at {facts.trial_problem}", mend))
    return tuple(findings)


def _missing_limits(facts: MachineFacts) -> tuple[Finding, ...]:
    if facts.is_root:
        mend = "in a container: docker run --privileged --cgroupns=private"
    else:
        mend = "systemd-run --user --scope -p Delegate=yes lampion serve"
    return tuple(
        Finding(f"cgroup-{name}", effect, mend)
        for name, effect in _CONTROLLER_EFFECTS.items()
        if facts.is_linux and name not in facts.controllers
    )


def _missing_walls(facts: MachineFacts) -> tuple[Finding, ...]:
    """What a sandbox on this machine lacks of grade `strong`, its limits apart."""
    findings = []
    if not facts.user_namespaces:
        effect = "a function's user on the host isn't hidden from it"
        findings.append(Finding("user-namespaces", effect, "sysctl -w user.max_user_namespaces=15000"))
    if not facts.has_own_ids:
        effect = "functions run as the server's own user"
        findings.append(Finding("subordinate-ids", effect, _SUBORDINATE_IDS))
    if not facts.seccomp:
        effect = "a function may make every system call"
        findings.append(Finding("seccomp", effect, "use a kernel with CONFIG_SECCOMP_FILTER"))
    return tuple(findings)


def _inexactness(facts: MachineFacts) -> tuple[Finding, ...]:
    """What differs from AWS without weakening any wall: it doesn't count for the grade."""
    if not facts.disk_problem:
        return ()
    effect = f"what functions write to /tmp counts as their memory ({facts.disk_problem})"
    if not facts.is_root:
        mend = "start the server as root"
    elif INSTALL_TOOLS in facts.disk_problem:
        mend = INSTALL_TOOLS
    elif IN_MEMORY in facts.disk_problem:
        mend = "lampion serve --data DIR, with DIR on a disk"
    else:
        mend = "modprobe loop; in a container: docker run --privileged --volume /dev:/dev, with the data on a volume"
    return (Finding("tmp-in-memory", effect, mend),)
