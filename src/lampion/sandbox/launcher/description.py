"""A sandbox in the words that the launcher reads (description.c). Pure: values in, bytes out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lampion.sandbox.cgroups import CgroupPlan
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.host_view import Entry
from lampion.sandbox.spec import TELEMETRY_FD, Limits

RUNTIME_API_ADDRESS: Final = "127.0.0.1:9001"
_MOST_BYTES: Final = 1 << 20
_MIB: Final = 1024 * 1024
# What a function on AWS reads with getrlimit.
_PROCESSES: Final = 742
_CORE_BYTES: Final = 10 * 1024 * _MIB
_STACK_BYTES: Final = 8 * _MIB
_LOCKED_BYTES: Final = 64 * 1024
_UNLIMITED: Final = -1


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the function is. With a user namespace the ids are only its own view of the server's user."""

    user_id: int
    group_id: int
    has_user_namespace: bool


def describe(
    *,
    argv: Iterable[str],
    environ: Mapping[str, str],
    working_directory: str,
    limits: Limits,
    identity: Identity,
    entries: Iterable[Entry],
    cgroups: CgroupPlan,
) -> bytes:
    """Everything the launcher needs to know. Raises SandboxError for what it couldn't read."""
    records: list[tuple[str, ...]] = [("user", str(identity.user_id), str(identity.group_id))]
    if identity.has_user_namespace:
        records.append(("user-namespace",))
    records.append(("working-directory", working_directory))
    records.append(("tmp", str(limits.tmp_mib * _MIB), str(limits.memory_mib * _MIB)))
    records += _cgroup_records(cgroups)
    for entry in entries:
        texts = () if entry.kind == "directory" else (entry.text,)
        records.append((entry.kind.value, entry.path, *texts))
    records += [("rlimit", name, str(soft), str(hard)) for name, soft, hard in resource_limits(limits)]
    records += [("argument", word) for word in argv]
    records += [("variable", f"{name}={value}") for name, value in _complete(environ).items()]
    return _encode(records)


def resource_limits(limits: Limits) -> tuple[tuple[str, int, int], ...]:
    """(name, soft, hard) of each limit that a process has on AWS; -1 is unlimited."""
    processes = min(_PROCESSES, limits.max_processes + 1)  # process 1 is the same user's
    return (
        ("core", _CORE_BYTES, _CORE_BYTES),
        ("memlock", _LOCKED_BYTES, _LOCKED_BYTES),
        ("nofile", limits.max_open_files, limits.max_open_files),
        ("nproc", processes, processes),
        ("stack", _STACK_BYTES, _UNLIMITED),
    )


def _complete(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        **environ,
        "AWS_LAMBDA_RUNTIME_API": RUNTIME_API_ADDRESS,
        "_LAMBDA_TELEMETRY_LOG_FD": str(TELEMETRY_FD),
    }


def _cgroup_records(plan: CgroupPlan) -> list[tuple[str, ...]]:
    records: list[tuple[str, ...]] = []
    for cgroup in plan.cgroups:
        records.append(("shared-cgroup" if cgroup.is_shared else "cgroup", str(cgroup.path)))
        records += [("set", file, value) for file, value in cgroup.settings]
    if plan.oom_file is not None and plan.peak_file is not None:
        records.append(("counters", str(plan.oom_file), str(plan.peak_file)))
    return records


def _encode(records: Iterable[tuple[str, ...]]) -> bytes:
    words = [word.encode("utf-8", "surrogateescape") for record in records for word in record]
    if any(b"\0" in word for word in words):
        raise SandboxError("an argument, a variable or a path of the sandbox holds a NUL character")
    text = b"\0".join(words) + b"\0"
    if len(text) > _MOST_BYTES:
        raise SandboxError(f"the description of the sandbox exceeds {_MOST_BYTES} bytes")
    return text
