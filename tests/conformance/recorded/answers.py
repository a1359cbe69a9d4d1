"""Brings a boto3 answer into the form in which the recordings keep answers."""

import json
from collections.abc import Mapping
from typing import Any

_JSON_TEXTS = ("Payload", "Policy", "Statement")
"""Members that carry JSON as text and are recorded parsed."""

METADATA = "ResponseMetadata"


def recorded_form(operation: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """A boto3 answer, or a ClientError's `response`: only the status of the metadata, JSON parsed, streams read."""
    form = {name: _json(value) if name in _JSON_TEXTS else value for name, value in answer.items()}
    form[METADATA] = {"HTTPHeaders": {}, "HTTPStatusCode": answer[METADATA]["HTTPStatusCode"]}
    if operation == "GetAccountSettings":
        return {name: value if name == METADATA else _names(value) for name, value in form.items()}
    return form


def _names(value: Any) -> Any:
    return sorted(value) if isinstance(value, Mapping) else value


def _json(value: Any) -> Any:
    """Objects and arrays parsed, any other text as it is: that is how the recordings have it."""
    if hasattr(value, "read"):
        value = value.read().decode()
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value
