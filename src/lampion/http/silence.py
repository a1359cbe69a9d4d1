"""How long a client may be silent. Pure."""

from enum import Enum, auto

from lampion.http.limits import HttpLimits


class Phase(Enum):
    """What the client owes us, which is what its silence is measured against."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()


def allowed_seconds(phase: Phase, body_bytes: int, limits: HttpLimits) -> float:
    """Since the phase began, for a client of whose body `body_bytes` have come."""
    if phase is Phase.HEAD:
        return limits.head_seconds
    if phase is Phase.BODY:
        return limits.head_seconds + limits.body_grace_seconds + body_bytes / limits.body_bytes_per_second
    return limits.idle_seconds
