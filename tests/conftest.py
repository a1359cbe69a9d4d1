"""Fixtures that every tier may use: a live server, shared or private, and functions on it."""

import asyncio
import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.component.nodejs_runtime.node_process import npm_interpreters
from tests.deployment import Functions, creation, functions, unique_name
from tests.dotnet_functions import dotnet_options
from tests.live_server import LiveServer, leftovers, marked_directory
from tests.witness import WITNESS

_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(WITNESS, "witness")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that the server runs on; those of sockets on asyncio's own as well."""
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"uvloop": uvloop.new_event_loop}
    if item.nodeid.startswith(("tests/component/http/", "tests/component/endpoints/")):
        loops["asyncio"] = asyncio.new_event_loop
    return loops


@pytest.fixture(scope="session")
def marked_root() -> Iterator[Path]:
    """Where this session's servers keep their data."""
    with marked_directory() as path:
        yield path


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    """At the very end no process, cgroup or disk of this session may exist; those found are ended, and reported."""
    yield
    found = leftovers()
    for line in found:
        if line.startswith("process "):
            with suppress(ProcessLookupError):
                os.kill(int(line.split()[1].rstrip(":")), signal.SIGKILL)
    assert not found, "left behind:\n" + "\n".join(found)


@pytest.fixture(scope="session")
def live_server(marked_root: Path) -> Iterator[LiveServer]:
    """One server for all tests that don't stop it or change its settings; it has every Node.js that tests have."""
    with LiveServer(data=marked_root / "shared", options=npm_interpreters()) as server:
        yield server


@pytest.fixture(scope="session")
def close_runtimes_server(marked_root: Path) -> Iterator[LiveServer]:
    """One with --close-runtimes, for languages of which this machine has no version that AWS names."""
    with LiveServer(data=marked_root / "close", options=("--close-runtimes", *dotnet_options())) as server:
        yield server


@pytest.fixture
def start_server(marked_root: Path) -> Iterator[Callable[..., LiveServer]]:
    """Starts private servers: `start_server("--auth", "open")`; stopped when the test ends."""
    started: list[LiveServer] = []

    def start(*options: str, **environ: str) -> LiveServer:
        server = LiveServer(data=marked_root / f"private-{next(_numbers)}", options=options, environ=environ)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def private_server(start_server: Callable[..., LiveServer]) -> LiveServer:
    """A server of the test's own, for kill -9 and restart."""
    return start_server()


@pytest.fixture(scope="session")
def lambda_client(live_server: LiveServer) -> Iterator[Any]:
    """boto3's Lambda client with the root key of the shared server."""
    client = live_server.client()
    yield client
    client.close()


@pytest.fixture
def make_function(lambda_client: Any, request: pytest.FixtureRequest) -> Iterator[Functions]:
    """`make_function(source, **configuration)` deploys on the shared server and returns the name."""
    with functions(lambda_client, request.node.name) as made:
        yield made


@pytest.fixture
def make_idle(lambda_client: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """`make_idle(**members)` creates a function on the shared server and doesn't wait; CreateFunction's answer."""
    names: list[str] = []

    def make(**members: Any) -> Any:
        arguments = creation(unique_name(request.node.name), "def handler(event, context):\n    pass\n", **members)
        created = lambda_client.create_function(**arguments)
        names.append(created["FunctionName"])
        return created

    yield make
    for name in names:
        lambda_client.delete_function(FunctionName=name)
