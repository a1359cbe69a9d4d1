"""DurableConfig: a function is durable from its creation, or never. Pure.

Source: Lambda developer guide, page "Configure Lambda durable functions".
"""

from typing import Final

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import Document

RETENTION_DAYS_DEFAULT: Final = 14


def new_durable_config(sent: Document) -> Document:
    """What CreateFunction makes of a DurableConfig. Raises InvalidParameterValueException."""
    if "ExecutionTimeout" not in sent:
        raise InvalidParameterValueException(
            "You cannot create a function with a durable configuration without an executionTimeout"
        )
    return _without_empty_key({"RetentionPeriodInDays": RETENTION_DAYS_DEFAULT, **sent})


def changed_durable_config(present: Document | None, sent: Document) -> Document:
    """Members that an update doesn't send stay. Raises InvalidParameterValueException when it isn't durable."""
    if present is None:  # the rule is documented; the text isn't AWS's, which nobody has published
        raise InvalidParameterValueException(
            "You cannot add a durable configuration to an existing function. Create a new function with it instead."
        )
    return _without_empty_key({**present, **sent})


def _without_empty_key(config: Document) -> Document:
    """An empty KMSKeyArn means AWS's own key, which isn't shown."""
    return {name: value for name, value in config.items() if name != "KMSKeyArn" or value}
