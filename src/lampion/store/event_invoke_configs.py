"""Where event invoke configurations are kept: with their function, by $LATEST, version or alias."""

from typing import Final

from lampion.domain.arn import FunctionKey
from lampion.domain.event_invoke_config import EventInvokeConfig
from lampion.store.resources import Kind, Place


def event_invoke_config_place(key: FunctionKey, qualifier: str) -> Place:
    return Place.of_function(key, qualifier)


EVENT_INVOKE_CONFIGS: Final = Kind(
    "event_invoke_config", EventInvokeConfig, place=lambda one: event_invoke_config_place(one.key, one.qualifier)
)
