"""ministack with its local executor, as a black box over HTTP; its functions print one line (see functions.py)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from benchmarks.functions import ECHO_THAT_PRINTS, EVENT, package
from benchmarks.systems.aws_functions import RUNTIME, Fleet, Kind, create
from benchmarks.systems.child import LOOPBACK, child, free_port, plain_environ, wait_until_listening
from benchmarks.systems.endpoint import Endpoint, invoke
from benchmarks.systems.environment import SET_UP, python_of, version_in
from benchmarks.systems.event_intake import over_http
from benchmarks.systems.system import Running, Scratch, WarmFunction

EVENT_CONNECTIONS = 4
"""It runs events while more come, each in a thread: with 64 callers no answer comes for seconds."""


class Ministack:
    """One server, a process per function and concurrent invoke."""

    name = "ministack"
    workloads = frozenset({"warm_c1", "warm_c16", "boto3_felt", "cold_first", "async_durable"})

    def missing(self) -> str | None:
        return None if python_of("ministack").is_file() else f"ministack is not in .venv-bench/ministack: {SET_UP}"

    def versions(self) -> Mapping[str, str]:
        return {"ministack": version_in("ministack", "ministack")}

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        port = free_port()
        environ = plain_environ(
            scratch.directory,
            GATEWAY_PORT=str(port),
            LAMBDA_EXECUTOR="local",
            STATE_DIR=str(scratch.directory / "state"),
            S3_DATA_DIR=str(scratch.directory / "s3"),
            SFTP_PORT=str(free_port()),
        )
        server_command = python_of("ministack").with_name("ministack")
        with child([server_command], environ, scratch.directory, scratch.output) as server:
            wait_until_listening(server, port, 60)
            endpoint = Endpoint(f"http://{LOOPBACK}:{port}", signed=True)
            client = endpoint.client()
            create(client, "echo", Kind(RUNTIME, package(ECHO_THAT_PRINTS)))
            invoke(endpoint.invoke_request("echo", EVENT))
            kinds = {"": Kind(RUNTIME, package(ECHO_THAT_PRINTS))}
            fleet = Fleet(endpoint, client)
            warm = WarmFunction(endpoint, "echo", server.tree)
            yield Running(warm, partial(fleet.first_answers, kinds), take_events=over_http(warm, EVENT_CONNECTIONS))
