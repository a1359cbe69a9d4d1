"""What all tests of KMS need."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.kms.clients import Clients, clients_of
from tests.live_server import LiveServer


@pytest.fixture
def clients(live_server: LiveServer) -> Iterator[Clients]:
    with clients_of(live_server) as made:
        yield made


@pytest.fixture
def kms(clients: Clients) -> Any:
    return clients.of("kms")


@pytest.fixture
def key(kms: Any) -> Any:
    """Metadata of a new key."""
    return kms.create_key(Description="of a test")["KeyMetadata"]
