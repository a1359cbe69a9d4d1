"""Builds what sends results of event invocations to services outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lampion.clock.clock import Clock
from lampion.config import Settings
from lampion.endpoints.aws_client import AwsClient
from lampion.endpoints.http_client import HttpClient
from lampion.invoke.targets.table import outside_targets
from lampion.invoke.targets.target import Target


@asynccontextmanager
async def targets_outside(settings: Settings, clock: Clock) -> AsyncIterator[dict[str, Target]]:
    """By the service in an ARN. Nothing is opened before its use; connections are closed at the end."""
    http = HttpClient(clock, ca_bundle=settings.endpoints.ca_bundle)
    try:
        yield outside_targets(AwsClient(settings.endpoints, http, clock))
    finally:
        await http.close()
