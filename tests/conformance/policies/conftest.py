"""The function whose policies the tests change."""

from typing import Any

import pytest

from tests.conformance.sources import GREET
from tests.deployment import Functions


@pytest.fixture
def name(lambda_client: Any, make_function: Functions) -> str:
    """A function with version 1, to which the alias `live` points."""
    made = make_function(GREET)
    lambda_client.publish_version(FunctionName=made)
    lambda_client.create_alias(FunctionName=made, Name="live", FunctionVersion="1")
    return made
