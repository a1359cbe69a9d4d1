"""IAM of the shared server, and what tests make there."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.iam.making import Made, making
from tests.live_server import LiveServer


@pytest.fixture(scope="session")
def iam(live_server: LiveServer) -> Iterator[Any]:
    """boto3's IAM client with the root key of the shared server."""
    client = live_server.client("iam")
    yield client
    client.close()


@pytest.fixture
def made(iam: Any, live_server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Made]:
    """Makes, and deletes at the end."""
    with making(iam, live_server, request.node.name) as those:
        yield those


@pytest.fixture(autouse=True, scope="package")
def _nothing_stays(iam: Any) -> Iterator[None]:
    """Every test deletes what it made."""
    before = _arns(iam)
    yield
    assert _arns(iam) <= before


def _arns(iam: Any) -> set[str]:
    everything = (
        *iam.list_users()["Users"],
        *iam.list_groups()["Groups"],
        *iam.list_roles()["Roles"],
        *iam.list_policies(Scope="Local")["Policies"],
    )
    return {one["Arn"] for one in everything}
