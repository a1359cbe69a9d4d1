"""Which operations of the model change something, so that the stage must be put back after them."""

from tests.conformance.bad_requests.catalogue import service_model

_RUNNING = frozenset(("Invoke", "InvokeAsync", "InvokeWithResponseStream"))
"""They run functions, and change nothing that is configured."""


def changes_something(method: str, name: str) -> bool:
    return method != "GET" and name not in _RUNNING


_MODEL = service_model()
CHANGING = frozenset(
    name for name in _MODEL.operation_names if changes_something(_MODEL.operation_model(name).http["method"], name)
)
