"""/2022-07-01/telemetry and /2020-08-15/logs: an extension subscribes to what happens in its environment.

Error types and words: AWS's runtime interface emulator (lambda/rapi/handler/runtimelogs.go) and the developer guide.
"""

from types import MappingProxyType
from typing import Final

from lampion.environments.extensions import Extensions, Refused
from lampion.environments.session import RuntimeSession
from lampion.function_telemetry.subscribers import SubscriptionClosed
from lampion.function_telemetry.subscription import LOGS, TELEMETRY, Api, InvalidSubscription, parse_subscription
from lampion.http.message import JSON, Request, Response
from lampion.runtime_api.answers import refusal

APIS: Final = MappingProxyType({"/2022-07-01/telemetry": TELEMETRY, "/2020-08-15/logs": LOGS})
"""The APIs by their paths; a slash may follow."""

_SUBSCRIBED: Final = Response(200, b'"OK"', {"Content-Type": JSON})


def subscribe(session: RuntimeSession, api: Api, request: Request) -> Response:
    flow = session.extensions
    registered = Extensions(session.new_identifier) if flow is None else flow.extensions
    try:
        extension = registered.find(request.head.headers.get("lambda-extension-identifier"))
    except Refused as refused:
        return refusal(403, refused.error_type, refused.message)
    subscribers = session.subscribers
    if subscribers is None:
        return refusal(202, f"{api.name}.NotSupported", f"{api.name} API is not supported")
    try:
        subscribers.check_open(api)
        subscribers.subscribe(extension.name, parse_subscription(api, request.body))
    except SubscriptionClosed as closed:
        return refusal(403, closed.error_type, str(closed))
    except InvalidSubscription as invalid:
        return refusal(400, api.validation_error, str(invalid))
    return _SUBSCRIBED
