"""The contract of a sandbox driver. `guarded.Guarded` makes any of them safe; drivers themselves stay naive."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from lampion.sandbox.spec import SandboxSpec, Template

if TYPE_CHECKING:
    import socket


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


@dataclass(frozen=True, slots=True)
class Exit:
    """How the sandbox's first process ended: by `code`, or by `signal` (then `code` is None)."""

    code: int | None
    signal: int | None = None
    out_of_memory: bool = False


class SandboxError(Exception):
    """A sandbox couldn't be made or has failed on the platform's side; the message says where and why."""


class CannotStart(SandboxError):
    """The sandbox was made, but what it was to run can't be started: `step` ("exec" or "working-directory") failed on
    `path`, for `reason` in the system's words.
    """

    def __init__(self, step: str, path: str, reason: str) -> None:
        super().__init__(f"{step} {path}: {reason}")
        self.step = step
        self.path = path
        self.reason = reason


class Sandbox(Protocol):
    """One running sandbox.

    `runtime_api` is a listening TCP socket that a client inside reaches at AWS_LAMBDA_RUNTIME_API, `gateway` one that
    it reaches at AWS_ENDPOINT_URL; None when its network has no gateway.
    `output` (stdout and stderr, in order of writing) and `telemetry` are non-blocking read ends of pipes.
    The holder closes all four; `stop` doesn't.
    """

    sandbox_id: str
    runtime_api: "socket.socket"
    gateway: "socket.socket | None"
    output: int
    telemetry: int

    async def wait(self) -> Exit:
        """Until the first process has ended and nothing of the sandbox runs any more. May be awaited repeatedly."""

    async def stop(self, grace_seconds: float) -> Exit:
        """SIGTERM to the first process, after `grace_seconds` SIGKILL to everything; 0 kills at once. Idempotent."""

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
        """Returns once the first process runs. Raises SandboxError; then nothing is left behind."""

    async def sweep(self) -> int:
        """Remove what a server that died left on the host; the number of sandboxes found."""

    async def close(self) -> None:
        """Stop every sandbox still running and give back what the driver holds."""
