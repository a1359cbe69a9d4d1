"""A sandbox in the words that the launcher reads (description.c). Pure: values in, bytes out."""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lampion.domain.inside import GROUP_ID, USER_ID
from lampion.sandbox.cgroups import CgroupPlan, Setting
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.host_view import Entry
from lampion.sandbox.spec import Companions, Limits, SharedDirectory

RUNTIME_API_ADDRESS: Final = "127.0.0.1:9001"
GATEWAY_VARIABLES: Final = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9002"}
_MOST_BYTES: Final = 1 << 20
_MIB: Final = 1024 * 1024
# What a function on AWS reads with getrlimit.
_PROCESSES: Final = 742
_CORE_BYTES: Final = 10 * 1024 * _MIB
_STACK_BYTES: Final = 8 * _MIB
_LOCKED_BYTES: Final = 64 * 1024
_UNLIMITED: Final = -1

_Record = tuple[str, ...]
_NO_PROCESS_LIMIT: Final = ("rlimit", "nproc", str(_UNLIMITED), str(_UNLIMITED))


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the function is on the host (as the launcher numbers users), and who process 1 of its sandbox is.

    Within a user namespace the function sees AWS's ids, and process 1 is root there. `keeper_id` is None when there is
    but one id to have.
    """

    user_id: int
    keeper_id: int | None = None
    has_user_namespace: bool = True

    @property
    def user_inside(self) -> int:
        return USER_ID if self.has_user_namespace else self.user_id

    @property
    def group_inside(self) -> int:
        return GROUP_ID if self.has_user_namespace else self.user_id


@dataclass(frozen=True, slots=True)
class Worker:
    """The process that waits: a program with its environment, or one that a zygote makes when asked on its socket."""

    argv: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()
    zygote: socket.socket | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """What a sandbox's /tmp is made from: `image` is copied into a file in `directory`."""

    size_bytes: int
    image: str
    directory: str


def describe_prepared(
    *,
    identity: Identity,
    entries: Iterable[Entry],
    cgroups: CgroupPlan,
    limits: Limits,
    worker: Worker | None = None,
    disk: Disk | None = None,
    is_origin: bool = False,
) -> bytes:
    """What a sandbox is before it is a function's. Without a disk its /tmp is memory.

    `is_origin`: a snapshot is to be taken of it. Raises SandboxError for what the launcher couldn't read.
    """
    records = _identity_records(identity)
    if is_origin:
        records.append(("origin",))
    records.append(("tmp", str(limits.tmp_mib * _MIB)))
    records += _cgroup_records(cgroups)
    records += _entry_records(entries)
    # Its copies have the usual limit each; all of them together count as its own (launcher/snapshot/become.c).
    records += [
        _NO_PROCESS_LIMIT if is_origin and record[1] == "nproc" else record for record in _limit_records(limits)
    ]
    records += _disk_records(disk)
    if worker is not None:
        is_forked = worker.zygote is not None
        records += [("forked",)] if is_forked else _program_records(worker.argv, dict(worker.environ))
    return _encode(records)


def describe_copy(
    *,
    identity: Identity,
    cgroups: CgroupPlan,
    limits: Limits,
    settings: Iterable[Setting],
    disk: Disk | None = None,
) -> bytes:
    """An environment copied from a snapshot; all else is as it is there. `keeper_id` is the user of the origin."""
    records = [*_identity_records(identity), ("copy",), *_cgroup_records(cgroups), *_setting_records(settings)]
    records += [record for record in _limit_records(limits) if record[1] == "nproc"]
    records += _disk_records(disk)
    records += [("tmp", str(limits.tmp_mib * _MIB)), ("shared-memory", str(limits.memory_mib * _MIB))]
    return _encode(records)


def describe_special(
    *,
    argv: Iterable[str],
    environ: Mapping[str, str],
    working_directory: str,
    limits: Limits,
    settings: Iterable[Setting],
    entries: Iterable[Entry],
    shared: SharedDirectory | None = None,
    companions: Companions | None = None,
) -> bytes:
    """What makes a prepared sandbox one function's. With a process waiting in it, `argv` is empty.

    The ids of `shared` are as the launcher numbers users.
    """
    records: list[_Record] = [("shared-memory", str(limits.memory_mib * _MIB))]
    records.append(("working-directory", working_directory))
    records += _setting_records(settings)
    records += _entry_records(entries)
    records += _shared_records(shared)
    records += _program_records(argv, {**environ, "AWS_LAMBDA_RUNTIME_API": RUNTIME_API_ADDRESS})
    records += _companion_records(companions)
    return _encode(records)


def describe_zygote(
    *, argv: Iterable[str], environ: Mapping[str, str], entries: Iterable[Entry], limits: Limits
) -> bytes:
    """A zygote; its processes inherit its resource limits."""
    records: list[_Record] = [("zygote",), *_entry_records(entries), *_limit_records(limits)]
    return _encode([*records, *_program_records(argv, environ)])


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


def _identity_records(identity: Identity) -> list[_Record]:
    inside, outside = (identity.user_inside, identity.group_inside), (identity.user_id, identity.user_id)
    records: list[_Record] = [("user", *map(str, (*inside, *outside)))]
    if identity.has_user_namespace:
        records.append(("user-namespace",))
        if identity.keeper_id is not None:
            records.append(("keeper", str(identity.keeper_id), str(identity.keeper_id)))
    return records


def _entry_records(entries: Iterable[Entry]) -> list[_Record]:
    return [
        (entry.kind.value, entry.path) if entry.kind == "directory" else (entry.kind.value, entry.path, entry.text)
        for entry in entries
    ]


def _shared_records(shared: SharedDirectory | None) -> list[_Record]:
    if shared is None:
        return []
    owner = (str(shared.user_id), str(shared.group_id))
    return [("shared", shared.target, str(shared.source), shared.beneath, *owner)]


def _disk_records(disk: Disk | None) -> list[_Record]:
    return [] if disk is None else [("disk", str(disk.size_bytes), disk.image, disk.directory)]


def _setting_records(settings: Iterable[Setting]) -> list[_Record]:
    return [("set", str(setting.path), setting.file, setting.value) for setting in settings]


def _limit_records(limits: Limits) -> list[_Record]:
    return [("rlimit", name, str(soft), str(hard)) for name, soft, hard in resource_limits(limits)]


def _program_records(argv: Iterable[str], environ: Mapping[str, str]) -> list[_Record]:
    words: list[_Record] = [("argument", word) for word in argv]
    return words + [("variable", f"{name}={value}") for name, value in environ.items()]


def _companion_records(companions: Companions | None) -> list[_Record]:
    if companions is None:
        return []
    environ = {**companions.environ, "AWS_LAMBDA_RUNTIME_API": RUNTIME_API_ADDRESS}
    words: list[_Record] = [("companion", program) for program in companions.programs]
    return words + [("companion-variable", f"{name}={value}") for name, value in environ.items()]


def _cgroup_records(plan: CgroupPlan) -> list[_Record]:
    records: list[_Record] = []
    for cgroup in plan.cgroups:
        path = str(cgroup.path)
        records.append(("shared-cgroup" if cgroup.is_shared else "cgroup", path))
        records += [("set", path, file, value) for file, value in cgroup.settings]
    if plan.oom_file is not None and plan.peak_file is not None:
        records.append(("counters", str(plan.oom_file), str(plan.peak_file)))
    if plan.freeze_file is not None and not plan.freeze_file.can_kill_frozen:
        records.append(("thaw", str(plan.freeze_file.path), plan.freeze_file.thawed))
    return records


def _encode(records: Iterable[_Record]) -> bytes:
    words = [word.encode("utf-8", "surrogateescape") for record in records for word in record]
    if any(b"\0" in word for word in words):
        raise SandboxError("an argument, a variable or a path of the sandbox holds a NUL character")
    text = b"\0".join(words) + b"\0"
    if len(text) > _MOST_BYTES:
        raise SandboxError(f"the description of the sandbox exceeds {_MOST_BYTES} bytes")
    return text
