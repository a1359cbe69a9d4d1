"""What a sandbox is made of, as the room above asks for it. Drivers differ only in how they provide it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TELEMETRY_FD: Final = 3
"""Inside the sandbox: where a runtime writes framed log records (AWS's `_LAMBDA_TELEMETRY_LOG_FD`)."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A read-only view of the host directory `source` at `target` inside the sandbox."""

    source: Path
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the sandbox may use. `cpu_cores` holds from `limit_cpu()` on; until then one whole core is allowed."""

    memory_mib: int
    cpu_cores: float
    tmp_mib: int = 512
    max_processes: int = 1024
    max_open_files: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSpec:
    """One sandbox. Paths in `argv` and `environ` are paths inside the sandbox.

    A driver without a file system of its own (`process`) rewrites those that begin with a mount's target.
    The driver adds AWS_LAMBDA_RUNTIME_API and _LAMBDA_TELEMETRY_LOG_FD to `environ`; it is otherwise complete:
    nothing of the server's own environment gets in.
    """

    sandbox_id: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    working_directory: str
    mounts: tuple[Mount, ...]
    limits: Limits
