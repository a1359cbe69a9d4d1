"""The companion, one for all tests that don't stop it, and targets that reach it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from lampion.clock.clock import SystemClock
from lampion.endpoints.aws_client import AwsClient
from lampion.endpoints.http_client import HttpClient
from lampion.invoke.targets.table import outside_targets
from lampion.invoke.targets.target import Targets
from tests.companion.companion import Companion


@pytest.fixture(scope="session")
def companion(marked_root: Path) -> Iterator[Companion]:
    """Shared: leave it running, and use names of your own (`inbox.unique`)."""
    with Companion(directory=marked_root / "companion") as running:
        yield running


@pytest.fixture
def private_companion(marked_root: Path, request: pytest.FixtureRequest) -> Iterator[Companion]:
    """One of this test alone, to be stopped and started again on the same port."""
    with Companion(directory=marked_root / f"companion-{request.node.name[:40]}") as running:
        yield running


@pytest.fixture
async def reaching() -> AsyncIterator[Callable[[Companion], Targets]]:
    """Makes targets that reach a companion."""
    http = HttpClient(SystemClock())
    yield lambda companion: Targets(outside_targets(AwsClient(companion.endpoints, http, SystemClock())))
    await http.close()
