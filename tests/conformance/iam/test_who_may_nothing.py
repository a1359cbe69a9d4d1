"""Who may nothing is denied every operation that the models of Lambda and IAM have, whether it is built or not."""

from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config

from tests.conformance.iam.making import Made
from tests.conformance.refusals import refusal
from tests.live_server import LiveServer

DENIED = {"lambda": (403, "AccessDeniedException"), "iam": (403, "AccessDenied")}


def some(shape: Any) -> Any:
    """A value of the shape, with what it requires. Who may is asked before its constraints are."""
    kind = shape.type_name
    if kind == "structure":
        return {name: some(shape.members[name]) for name in shape.required_members}
    if kind == "list":
        return [some(shape.member)]
    if kind == "map":
        return {"a": some(shape.value)}
    plain: dict[str, Any] = {"string": "f", "blob": b"f", "boolean": True, "timestamp": 0, "float": 1.0, "double": 1.0}
    return plain.get(kind, 1)


@pytest.mark.parametrize("service", ["lambda", "iam"])
def test_every_operation_is_denied(made: Made, live_server: LiveServer, service: str) -> None:
    key = made.key(made.user())
    client = boto3.session.Session().client(
        service,
        endpoint_url=live_server.url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )
    asked = 0
    for name in client.meta.service_model.operation_names:
        shape = client.meta.service_model.operation_model(name).input_shape
        told = refusal(getattr(client, xform_name(name)), **({} if shape is None else some(shape)))
        assert told[:2] == DENIED[service], (name, told)
        asked += 1
    assert asked > 80
    client.close()
