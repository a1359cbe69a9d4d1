"""What this machine really has of what sandboxes need: looked at, and tried with a sandbox."""

import ctypes
import os
import shutil
import socket
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.sandbox.beginnings import Beginning, Beginnings, may_have_user_namespaces
from lampion.sandbox.cgroup_host import probe_cgroups
from lampion.sandbox.cgroups import CONTROLLERS, limit_settings
from lampion.sandbox.disks import Disks
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.launcher.build import ensure_launcher, find_compiler
from lampion.sandbox.launcher.daemon import receive, specialise
from lampion.sandbox.launcher.description import describe_special
from lampion.sandbox.launcher.messages import Ended, Failed
from lampion.sandbox.spec import Limits

_TRIAL_SECONDS: Final = 10.0
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_VERSION: Final = 1


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
    has_own_ids: bool
    landlock_version: int
    seccomp: bool
    disk_problem: str


def probe(cgroup_parent: str, scratch: Path | None = None) -> MachineFacts:
    """Look and try: a real sandbox runs /bin/true, and in `scratch` a disk is made.

    Takes about 40 ms, more if the launcher is compiled.
    """
    launcher_problem = _find_launcher()
    is_linux = sys.platform == "linux"
    can_try = is_linux and not launcher_problem
    with closing(probe_cgroups(cgroup_parent)) as cgroups:
        trial_problem, has_own_ids = _try_sandbox(cgroup_parent) if can_try else ("not tried", False)
    return MachineFacts(
        is_linux=is_linux,
        is_root=os.geteuid() == 0,
        kernel=kernel_version(),
        user_namespaces=may_have_user_namespaces() and _number("/proc/sys/kernel/unprivileged_userns_clone", 1) > 0,
        user_namespaces_restricted=_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) > 0,
        compiler=find_compiler(),
        launcher_problem=launcher_problem,
        controllers=tuple(name for name in CONTROLLERS if name in cgroups.layout.controllers),
        unusable_controllers=cgroups.unusable,
        trial_problem=trial_problem,
        has_own_ids=has_own_ids,
        landlock_version=_landlock_version() if is_linux else 0,
        seccomp=Path("/proc/sys/kernel/seccomp/actions_avail").exists(),
        disk_problem=_try_disk(scratch) if can_try else "not tried",
    )


def _find_launcher() -> str:
    try:
        ensure_launcher()
    except SandboxError as error:
        return str(error)
    return ""


def _try_disk(scratch: Path | None) -> str:
    disks = Disks(scratch)
    try:
        return disks.problem()
    finally:
        disks.close()


def _try_sandbox(parent: str) -> tuple[str, bool]:
    """Run a program that does nothing: why that failed, or an empty text; and whether its user was its own."""
    beginnings = Beginnings(parent)
    limits = Limits(memory_mib=64, cpu_cores=1)
    try:
        beginning = beginnings.begin((), limits)
        try:
            return _run_trial(beginning, beginnings, limits), beginnings.has_own_ids
        finally:
            beginnings.give_back(beginning.identity)
    except SandboxError as error:
        return str(error), beginnings.has_own_ids
    finally:
        beginnings.close()


def _run_trial(beginning: Beginning, beginnings: Beginnings, limits: Limits) -> str:
    beginning.launched.close_pipes()
    with beginning.launched.control as control:
        control.settimeout(_TRIAL_SECONDS)
        description = describe_special(
            argv=[shutil.which("true", path="/usr/bin:/bin") or "/bin/true"],
            environ={},
            working_directory="/",
            limits=limits,
            settings=limit_settings(beginnings.layout, beginning.plan, limits),
            entries=(),
        )
        try:
            specialise(control, description)
            return _outcome(control)
        except TimeoutError:
            return f"no answer within {_TRIAL_SECONDS:g} s"
        except OSError as error:
            return f"the launcher: {error.strerror}"


def _outcome(control: socket.socket) -> str:
    problem = "the launcher, which ended without a word"
    while True:
        message, descriptors = receive(control)
        for descriptor in descriptors:
            os.close(descriptor)
        if message is None:
            return problem
        if isinstance(message, Failed):
            problem = message.text
        if isinstance(message, Ended):
            problem = "" if message.exit.code == 0 else f"running the program: {message.exit}"


def kernel_version() -> tuple[int, ...]:
    """Of this machine: major and minor."""
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
