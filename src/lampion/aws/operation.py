"""How a door's methods become operations: the decorator that names them, the context they get, and their collection."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from lampion.aws.model import ServiceModel
from lampion.domain.errors import ApiError

_MARK: Final = "__aws_operation__"
_INSPECT: Final = "__aws_inspect__"

Inspect = Callable[[bytes], object]
"""Raises ApiError for a body that can't be right. Does nothing else."""


class Inspection:
    """A look at a large body, taken while its signature is being verified. `conclude` alone tells what was found."""

    def __init__(self, inspect: Inspect, body: bytes) -> None:
        self._inspect: Inspect | None = inspect
        self._body = body
        self._fault: ApiError | None = None

    def take(self) -> None:
        inspect, self._inspect = self._inspect, None
        if inspect is None:
            return
        try:
            inspect(self._body)
        except ApiError as fault:
            self._fault = fault

    def conclude(self) -> None:
        """For the handler. Raises the body's fault; looks for it now if that hasn't been done yet."""
        self.take()
        if self._fault is not None:
            raise self._fault


class RequestContext(msgspec.Struct, frozen=True):
    """Who asks, where, and under which id: what every handler gets beside its members.

    `host` is how the caller reached this server (its Host header), `scheme` by what (http, https);
    `trace_header` is the X-Amzn-Trace-Id it sent; `inspection` is there for large bodies of operations that inspect;
    `owner` is the account of what the caller may use, its own or another's; `caller_arn` and `user_id` say who it is,
    `asker` (identity.request_facts.Asker) all that is known of it, where the door tells.
    """

    account_id: str
    region: str
    principal: str
    request_id: str
    host: str = ""
    trace_header: str | None = None
    scheme: str = "http"
    inspection: Inspection | None = None
    owner: str = ""
    caller_arn: str = ""
    user_id: str = ""
    asker: Any = None


Handler = Callable[[RequestContext, dict[str, Any]], Awaitable[Mapping[str, Any]]]
"""Members in, output members out, both in wire (CamelCase) names. Raises domain.errors.ApiError."""

_Method = TypeVar("_Method", bound=Callable[..., Awaitable[Mapping[str, Any]]])


def operation(name: str, *, inspect: Inspect | None = None) -> Callable[[_Method], _Method]:
    """Marks a method as the handler of the model's operation `name`:

    `async def get_function(self, context: RequestContext, members: dict[str, Any]) -> Mapping[str, Any]`

    `inspect` is what it does with a body before anything else; of a large one, that is then done by its `inspection`.
    """

    def mark(method: _Method) -> _Method:
        setattr(method, _MARK, name)
        setattr(method, _INSPECT, inspect)
        return method

    return mark


def inspection_of(handler: Handler | None, body: bytes) -> Inspection | None:
    """None when the handler doesn't inspect."""
    inspect: Inspect | None = getattr(handler, _INSPECT, None)
    return None if inspect is None else Inspection(inspect, body)


def collect(service: ServiceModel, objects: Iterable[object]) -> Mapping[str, Handler]:
    """The marked methods of `objects` by operation name.

    Raises ValueError for an operation that the model doesn't have, and for two handlers of one operation.
    """
    handlers: dict[str, Handler] = {}
    for holder in objects:
        for attribute, name in _marked(type(holder)).items():
            where = f"{type(holder).__name__}.{attribute}"
            if name not in service.operations:
                raise ValueError(f"{where} handles {name}, which {service.name} doesn't have")
            if name in handlers:
                raise ValueError(f"{where} handles {name}, which has a handler already")
            handlers[name] = getattr(holder, attribute)
    return handlers


def _marked(holder: type) -> dict[str, str]:
    """Attribute and operation name of every marked method, the most derived definition of each attribute."""
    attributes = {name: value for base in reversed(holder.__mro__) for name, value in vars(base).items()}
    return {name: getattr(value, _MARK) for name, value in attributes.items() if hasattr(value, _MARK)}
