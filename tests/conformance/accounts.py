"""Clients of several accounts: a server with --auth open takes a client's word for its account."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config

from tests.live_server import LiveServer, boto_client


@contextmanager
def account(server: LiveServer, account_id: str) -> Iterator[Any]:
    """A client of that account; no retries."""
    client = boto_client(
        "lambda",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=account_id,
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()
