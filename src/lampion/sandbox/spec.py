"""What a sandbox is made of, as the room above asks for it. Drivers differ only in how they provide it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

TELEMETRY_FD: Final = 3
"""Inside the sandbox: where a runtime writes framed log records (AWS's `_LAMBDA_TELEMETRY_LOG_FD`)."""

MOST_COMPANIONS: Final = 10

ORDERS_FD: Final = 4
"""Inside a prepared sandbox: where its waiting process learns the environment of the function that it is to run."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A read-only view of the host directory `source` at `target` inside the sandbox."""

    source: Path
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedDirectory:
    """A writable view, at `target`, of what is `beneath` the host directory `source`; all of it if that is empty.

    Other sandboxes may have it too, and what is written there stays. There the function is the host's user `user_id`
    and group `group_id`. Neither is root: what a function writes may be a program.
    """

    source: Path
    beneath: str
    target: str
    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the sandbox may use. `cpu_cores` holds from `limit_cpu()` on; until then one whole core is allowed."""

    memory_mib: int
    cpu_cores: float
    tmp_mib: int = 512
    max_processes: int = 1024
    max_open_files: int = 1024


class NetworkMode(StrEnum):
    """What a sandbox reaches beside its own loopback."""

    NONE = "none"
    GATEWAY = "gateway"  # this server's AWS API, at a loopback address of its own
    EGRESS = "egress"  # the gateway, and what lies outside of this machine


@dataclass(frozen=True, slots=True)
class Network:
    """`routes` are what a sandbox in mode GATEWAY reaches beside the gateway: IPv4 networks such as "10.0.0.0/16"."""

    mode: NetworkMode = NetworkMode.GATEWAY
    routes: tuple[str, ...] = ()

    @property
    def has_gateway(self) -> bool:
        return self.mode is not NetworkMode.NONE

    @property
    def leaves_host(self) -> bool:
        """Whether the sandbox gets an interface beside loopback."""
        return self.mode is NetworkMode.EGRESS or (self.mode is NetworkMode.GATEWAY and bool(self.routes))


class WorkerStart(StrEnum):
    """How the process that waits in a prepared sandbox comes to be."""

    FORK = "fork"  # copied from a zygote, which a runtime's program becomes when it is told to
    BOOT = "boot"  # started like any program
    NONE = "none"  # no process waits: the function's own program is started in what is prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What sandboxes of one runtime have in common, so that some can be prepared before a function needs them.

    `worker` waits for the function's environment on descriptor ORDERS_FD, NAME=VALUE with a NUL after each, and then
    serves as `SandboxSpec.argv` would. `environ` is its own until then. With WorkerStart.NONE there is none, and `argv`
    is started.
    """

    worker: tuple[str, ...]
    start: WorkerStart
    environ: tuple[tuple[str, str], ...]
    mounts: tuple[Mount, ...]


@dataclass(frozen=True, slots=True)
class Companions:
    """Programs that run beside the main one, from before it: paths inside the sandbox, started in this order, at most
    MOST_COMPANIONS, each with `environ` and the root as its working directory. See companions.CompanionProcesses.
    """

    programs: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSpec:
    """One sandbox. Paths in `argv` and `environ` are paths inside the sandbox.

    A driver without a file system of its own (`process`) rewrites those that begin with a mount's target.
    The driver adds AWS_LAMBDA_RUNTIME_API to `environ`, `telemetry_variables`, and AWS_ENDPOINT_URL where there is a
    gateway and `environ` names none; it is otherwise complete: nothing of the server's own environment gets in. A
    program that isn't a runtime of ours is not told of the telemetry descriptor: `tells_telemetry` is False.
    `template` is a hint: a sandbox prepared after it will do. Its mounts are among `mounts`. There is none with
    `shared` or `companions`: a process that waits has its walls already, and has begun. The variables of `companions`
    are completed likewise, but without a place for log records.
    `root`: the directory of the host that the sandbox sees, read-only, in place of the host's own programs, libraries
    and settings; /dev, /proc, /sys and /tmp are the sandbox's own there, too. Such a sandbox has no template.
    """

    sandbox_id: str
    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    working_directory: str
    mounts: tuple[Mount, ...]
    limits: Limits
    template: Template | None = None
    network: Network = Network()
    shared: SharedDirectory | None = None
    tells_telemetry: bool = True
    companions: Companions | None = None
    root: Path | None = None

    @property
    def telemetry_variables(self) -> Mapping[str, str]:
        return {"_LAMBDA_TELEMETRY_LOG_FD": str(TELEMETRY_FD)} if self.tells_telemetry else {}
