"""The functions that the load is for, and how their events must end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lampion.domain.invocation_record import Condition
from tests.deployment import arn_of, creation, wait_active

AFTERWARDS: Final = "afterwards"
RETRYING: Final = "retrying"
RESERVED: Final = "reserved"
RESERVED_EXECUTIONS: Final = 2

_SOURCE: Final = """
import os, time

def opened():
    try:
        return os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_APPEND)
    except OSError:
        return None  # a sandbox: nothing outside is in reach

EFFECTS, NAME, SECONDS = opened(), os.environ["NAME"], float(os.environ["SECONDS"])

def handler(event, context):
    time.sleep(event.get("seconds", SECONDS))
    n = event["n"] if "n" in event else event["requestPayload"]["n"]
    if EFFECTS is not None:
        os.write(EFFECTS, f"{NAME} {n} {context.aws_request_id}\\n".encode())
    if os.environ.get("FAILS"):
        raise ValueError("no")
    return n
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One function; `weight` is its share of the load. Its destinations are `AFTERWARDS` or nobody."""

    weight: int
    seconds: float = 0.0
    retries: int | None = None  # None: it succeeds
    is_followed: bool = False

    @property
    def ending(self) -> str:
        return Condition.SUCCESS if self.retries is None else Condition.RETRIES_EXHAUSTED


BEHAVIOURS: Final = {
    "succeeding": Behaviour(weight=45),
    "failing": Behaviour(weight=15, retries=0, is_followed=True),
    "followed": Behaviour(weight=15, is_followed=True),
    RESERVED: Behaviour(weight=20, seconds=0.002),
    RETRYING: Behaviour(weight=5, retries=2),
    AFTERWARDS: Behaviour(weight=0),
}


def deploy(client: Any, effects: Path) -> None:
    """Create all of them. They write what they do into `effects` if that is in their reach."""
    for name, behaviour in reversed(BEHAVIOURS.items()):
        variables = {"NAME": name, "SECONDS": str(behaviour.seconds), "EFFECTS": str(effects)}
        if behaviour.retries is not None:
            variables["FAILS"] = "yes"
        client.create_function(**creation(name, _SOURCE, Environment={"Variables": variables}, Timeout=30))
        wait_active(client, name)
        config: dict[str, Any] = {"MaximumRetryAttempts": behaviour.retries or 0}
        if behaviour.is_followed:
            kind = "OnSuccess" if behaviour.retries is None else "OnFailure"
            config["DestinationConfig"] = {kind: {"Destination": arn_of(AFTERWARDS)}}
        client.put_function_event_invoke_config(FunctionName=name, **config)
    client.put_function_concurrency(FunctionName=RESERVED, ReservedConcurrentExecutions=RESERVED_EXECUTIONS)
