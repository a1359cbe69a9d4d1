"""What this machine offers for sandboxes, what it lacks, and the command that mends each gap."""

import ctypes
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.sandbox.cgroup_host import owner_name, probe_cgroups, remove_owner
from lampion.sandbox.cgroups import CONTROLLERS, Layout, plan_cgroups
from lampion.sandbox.driver import Capabilities, Finding, Grade, SandboxError
from lampion.sandbox.host_view import host_entries, sandbox_entries
from lampion.sandbox.launcher.build import INSTALL_COMPILER, ensure_launcher, find_compiler
from lampion.sandbox.launcher.description import Identity, describe
from lampion.sandbox.launcher.messages import Ended, Failed
from lampion.sandbox.launcher.process import receive, spawn
from lampion.sandbox.spec import Limits
from lampion.sandbox.user_ids import UserIds

_LEAST_KERNEL: Final = (5, 12)
_TRIAL_SECONDS: Final = 10.0
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_VERSION: Final = 1
_CONTROLLER_EFFECTS: Final = {
    "memory": "a function may use all memory of the machine",
    "cpu": "a function may use all processors whatever its MemorySize",
    "pids": "a function may start as many processes as its user may",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """Probed once; everything else follows from these."""

    is_linux: bool
    is_root: bool
    kernel: tuple[int, ...]
    user_namespaces: bool
    user_namespaces_restricted: bool
    compiler: str | None
    launcher_problem: str
    controllers: tuple[str, ...]
    unusable_controllers: tuple[str, ...]
    trial_problem: str
    landlock_version: int
    seccomp: bool


def examine(cgroup_parent: str) -> Capabilities:
    """What the namespace driver provides here."""
    return assess(probe(cgroup_parent))


def probe(cgroup_parent: str) -> MachineFacts:
    """Look and try: at the end a real sandbox runs /bin/true. Takes about 20 ms, more if the launcher is compiled."""
    launcher, launcher_problem = _find_launcher()
    cgroups = probe_cgroups(cgroup_parent)
    is_linux = sys.platform == "linux"
    return MachineFacts(
        is_linux=is_linux,
        is_root=os.geteuid() == 0,
        kernel=_kernel_version(),
        user_namespaces=_number("/proc/sys/user/max_user_namespaces", 0) > 0
        and _number("/proc/sys/kernel/unprivileged_userns_clone", 1) > 0,
        user_namespaces_restricted=_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) > 0,
        compiler=find_compiler(),
        launcher_problem=launcher_problem,
        controllers=tuple(name for name in CONTROLLERS if name in cgroups.layout.controllers),
        unusable_controllers=cgroups.unusable,
        trial_problem=_try_sandbox(launcher, cgroups.layout, cgroup_parent) if launcher and is_linux else "not tried",
        landlock_version=_landlock_version() if is_linux else 0,
        seccomp=Path("/proc/sys/kernel/seccomp/actions_avail").exists(),
    )


def assess(facts: MachineFacts) -> Capabilities:
    """The grade, and a finding for each gap. Pure."""
    works = not facts.trial_problem
    findings = _obstacles(facts) if not works else ()
    return Capabilities(
        grade=Grade.BASIC if works else Grade.NONE,
        memory_limit=works and "memory" in facts.controllers,
        cpu_limit=works and "cpu" in facts.controllers,
        private_file_system=works,
        private_network=works,
        findings=findings + _missing_limits(facts),
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


def _find_launcher() -> tuple[Path | None, str]:
    try:
        return ensure_launcher(), ""
    except SandboxError as error:
        return None, str(error)


def _try_sandbox(launcher: Path, layout: Layout, parent: str) -> str:
    """Run a program that does nothing; why that failed, or an empty text."""
    is_root = os.geteuid() == 0
    user_ids = UserIds()
    owner = owner_name()
    limits = Limits(memory_mib=64, cpu_cores=1)
    program = shutil.which("true", path="/usr/bin:/bin") or "/bin/true"
    try:
        user_id = user_ids.take() if is_root else 993
        description = describe(
            argv=[program],
            environ={},
            working_directory="/",
            limits=limits,
            identity=Identity(user_id, user_id, has_user_namespace=not is_root),
            entries=(*host_entries(), *sandbox_entries(user_id, user_id, ())),
            cgroups=plan_cgroups(layout, parent, owner, f"trial-{os.getpid()}", limits),
        )
        return _run_trial(launcher, description)
    except SandboxError as error:
        return str(error)
    finally:
        user_ids.close()
        remove_owner(layout, parent, owner)


def _run_trial(launcher: Path, description: bytes) -> str:
    launched = spawn(launcher, description)
    launched.close_pipes()
    problem = "the launcher, which ended without a word"
    with launched.control as control:
        control.settimeout(_TRIAL_SECONDS)
        try:
            while True:
                message, descriptor = receive(control)
                if descriptor is not None:
                    os.close(descriptor)
                if message is None:
                    break
                if isinstance(message, Failed):
                    problem = message.text
                    break
                if isinstance(message, Ended):
                    problem = "" if message.exit.code == 0 else f"running the program: {message.exit}"
        except TimeoutError:
            problem = f"no answer within {_TRIAL_SECONDS:g} s"
    launched.process.wait()
    return problem


def _kernel_version() -> tuple[int, ...]:
    numbers = os.uname().release.split("-")[0].split(".")
    return tuple(int(number) for number in numbers[:2] if number.isdigit())


def _number(path: str, default: int) -> int:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return default


def _landlock_version() -> int:
    library = ctypes.CDLL(None, use_errno=True)
    version = library.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    return max(0, int(version))
