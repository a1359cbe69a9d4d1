"""The contract of a sandbox driver. `guarded.Guarded` makes any of them safe; drivers themselves stay naive."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from lampion.sandbox.spec import SandboxSpec, Template

if TYPE_CHECKING:
    import socket

    from lampion.sandbox.companions import CompanionProcesses


class Grade(StrEnum):
    """How much stands between a function and the host (docs/concepts/sandbox.md)."""

    NONE = "none"
    BASIC = "basic"
    STRONG = "strong"
    MICROVM = "microvm"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something this machine doesn't offer: what it costs, and the command that mends it."""

    name: str
    effect: str
    mend: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a driver really provides on this machine."""

    grade: Grade
    memory_limit: bool
    cpu_limit: bool
    private_file_system: bool
    private_network: bool
    findings: tuple[Finding, ...] = ()
    companions: bool = False


@dataclass(frozen=True, slots=True)
class Exit:
    """How the sandbox's first process ended: by `code`, or by `signal` (then `code` is None)."""

    code: int | None
    signal: int | None = None
    out_of_memory: bool = False


class SandboxError(Exception):
    """A sandbox couldn't be made or has failed on the platform's side; the message says where and why."""


class Unstoppable(SandboxError):
    """Even killing the sandbox had no effect: the kernel waits for something on its behalf."""


class DirectoryRefused(SandboxError):
    """The sandbox can't have its shared directory, the message says why; without it, it could be made."""


class ProgramError(SandboxError):
    """The spec's program can't be executed; `problem` is the system's word for it, such as "Permission denied"."""

    def __init__(self, problem: str, message: str) -> None:
        super().__init__(message)
        self.problem = problem


class WorkingDirectoryError(SandboxError):
    """The spec's working directory can't be entered; `problem` as above."""

    def __init__(self, problem: str, message: str) -> None:
        super().__init__(message)
        self.problem = problem


class Sandbox(Protocol):
    """One running sandbox.

    `runtime_api` is a listening TCP socket that a client inside reaches at AWS_LAMBDA_RUNTIME_API, `gateway` one that
    it reaches at AWS_ENDPOINT_URL; None when its network has no gateway.
    `output` (stdout and stderr, in order of writing) and `telemetry` are non-blocking read ends of pipes.
    `processes` are there when the spec names companions, else None.
    The holder closes all of them; `stop` doesn't.
    """

    sandbox_id: str
    runtime_api: "socket.socket"
    gateway: "socket.socket | None"
    output: int
    telemetry: int
    processes: "CompanionProcesses | None"

    async def wait(self) -> Exit:
        """Until the first process has ended and nothing of the sandbox runs any more; with companions, until all have.
        May be awaited repeatedly.
        """

    async def stop(self, grace_seconds: float) -> Exit:
        """SIGTERM to the first process, after `grace_seconds` SIGKILL to everything; 0 kills at once. Idempotent."""

    async def connect(self, port: int) -> "socket.socket":
        """A connection to whoever listens at 127.0.0.1 in the sandbox's own network, at `port`: that, and nothing else.

        It is non-blocking, and the caller closes it. May wait for as long as the sandbox is frozen. Raises OSError when
        nobody listens there, SandboxError when the sandbox has ended.
        """

    def limit_cpu(self) -> None:
        """Apply `limits.cpu_cores`; called when INIT is over."""

    def give_way(self, *, to_others: bool) -> None:
        """Whether it gets only a small part of a processor that a sandbox that doesn't give way wants, too. Where that
        can't be had, nothing changes. Idempotent.
        """

    def freeze(self) -> None:
        """Let nothing of the sandbox run until `thaw`; what can't be stopped runs on. Idempotent, and takes effect
        within a millisecond or so; `stop` and the end come through it.
        """

    def thaw(self) -> None:
        """Let it go on. Idempotent."""

    def max_memory_bytes(self) -> int:
        """High-water mark of memory so far; 0 when the driver can't tell. Cheap: it is on the warm path."""


class Driver(Protocol):
    """Makes sandboxes of one kind."""

    name: str

    def capabilities(self) -> Capabilities:
        """What holds on this machine; probed once, at first call."""

    def expect(self, template: Template) -> None:
        """Sandboxes of this template will be wanted: a driver that can prepare some does so. Returns at once."""

    async def start(self, spec: SandboxSpec) -> Sandbox:
        """Returns once the first process runs. Raises SandboxError; then nothing is left behind.

        DirectoryRefused when it is `spec.shared` that can't be had, as by drivers that give none; ProgramError when
        the program is to blame.
        """

    async def sweep(self) -> int:
        """Remove what a server that died left on the host; the number of sandboxes found."""

    async def close(self) -> None:
        """Stop every sandbox still running and give back what the driver holds."""
