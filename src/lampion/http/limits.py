"""What one connection may cost. Source of the defaults: docs/concepts/http.md."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of a listener. Times are what a client may take for its part; our own work is not counted.

    `check_seconds` is how often they are checked, and where each of them begins; None means never.
    `held_bytes` bounds the unfinished bodies of all connections together, also of other listeners that share the usage;
    `connections` those of this listener, `all_connections` those of all that share it.
    `is_prompt`: a message that comes in parts is acknowledged at each of them (http.prompt).
    A head may take `head_seconds`, a body `body_grace_seconds` more plus its size at `body_bytes_per_second`.
    """

    header_bytes: int = 64 * 1024
    header_count: int = 200
    discard_bytes: int = 256 * 1024 * 1024
    held_bytes: int = 1024 * 1024 * 1024
    head_seconds: float = 10.0
    body_grace_seconds: float = 30.0
    body_bytes_per_second: float = 16 * 1024
    idle_seconds: float = 75.0
    write_silence_seconds: float = 60.0
    connections: int = 8192
    all_connections: int = 8192
    check_seconds: float | None = 1.0
    is_prompt: bool = False


SANDBOX_SOCKET = HttpLimits(header_bytes=2 * 1024 * 1024, connections=64, check_seconds=None, is_prompt=True)
"""For a socket inside a sandbox: its clients are the runtime and at most ten extensions, which may wait long and die
with their sandbox; each may have a few connections.

Headers are larger because a runtime may report up to 1 MiB of error cause in one.
"""
