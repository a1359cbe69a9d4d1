"""Event source mappings for tests: ARNs of sources that needn't exist, and mappings that have settled."""

import itertools
import time
from typing import Any

ACCOUNT, REGION = "123456789012", "us-east-1"
SETTLED_SECONDS = 30.0
_PAUSE_SECONDS = 0.05
_numbers = itertools.count(1)


def queue_arn(name: str = "queue", suffix: str = "") -> str:
    """A queue that no other test reads."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-{next(_numbers)}{suffix}"


def table_stream_arn() -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/table-{next(_numbers)}/stream/2024-05-11T21:21:33.291"


def stream_arn() -> str:
    return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/stream-{next(_numbers)}"


def settled(client: Any, uuid: str) -> Any:
    """GetEventSourceMapping's answer when the mapping is no longer changing."""
    end = time.monotonic() + SETTLED_SECONDS
    while (answer := client.get_event_source_mapping(UUID=uuid))["State"] not in ("Enabled", "Disabled"):
        assert time.monotonic() < end, answer
        time.sleep(_PAUSE_SECONDS)
    return answer


def wait_gone(client: Any, uuid: str) -> None:
    end = time.monotonic() + SETTLED_SECONDS
    while time.monotonic() < end:
        try:
            assert client.get_event_source_mapping(UUID=uuid)["State"] == "Deleting"
        except client.exceptions.ResourceNotFoundException:
            return
        time.sleep(_PAUSE_SECONDS)
    raise AssertionError(f"{uuid} is still there")


def created(client: Any, **arguments: Any) -> Any:
    """Create, wait until it has settled; its answer then."""
    return settled(client, client.create_event_source_mapping(**arguments)["UUID"])
