"""AWS's Runtime Interface Emulator (the binary inside aws-sam-cli) with AWS's Python runtime client.

It takes one invoke at a time and crashes on two at once, so it is measured with one connection only.
"""

import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from benchmarks.functions import ECHO, EVENT, HANDLER, MEMORY_MIB, MODULE
from benchmarks.systems.child import LOOPBACK, Child, child, free_port, plain_environ, wait_until_listening
from benchmarks.systems.endpoint import Endpoint, invoke
from benchmarks.systems.environment import SET_UP, python_of, site_packages, version_in
from benchmarks.systems.system import Running, Scratch, WarmFunction, alone

MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}
FUNCTION_NAME = "function"  # the only one it knows


class Rie:
    """One function, served by the emulator and one runtime process."""

    name = "rie"
    workloads = frozenset({"warm_c1", "boto3_felt", "cold_first"})

    def missing(self) -> str | None:
        if not self._binary().is_file():
            return f"aws-sam-cli is not in .venv-bench/sam: {SET_UP}"
        if not python_of("ric").is_file():
            return f"awslambdaric is not in .venv-bench/ric: {SET_UP}"
        return None

    def versions(self) -> Mapping[str, str]:
        return {
            "aws-sam-cli (RIE)": version_in("sam", "aws-sam-cli"),
            "awslambdaric": version_in("ric", "awslambdaric"),
        }

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        (scratch.directory / f"{MODULE}.py").write_text(ECHO)
        port = free_port()

        def first_answer_seconds() -> float:
            another = free_port()
            began = time.perf_counter()
            with self._emulator(scratch, another) as emulator:
                wait_until_listening(emulator, another, 20)
                _answer(another)
                return time.perf_counter() - began

        with self._emulator(scratch, port) as emulator:
            wait_until_listening(emulator, port, 20)
            endpoint = _answer(port)
            yield Running(WarmFunction(endpoint, FUNCTION_NAME, emulator.tree), alone(first_answer_seconds))

    def _emulator(self, scratch: Scratch, port: int) -> AbstractContextManager[Child]:
        addresses = ["--runtime-interface-emulator-address", f"{LOOPBACK}:{port}"]
        addresses += ["--runtime-api-address", f"{LOOPBACK}:{free_port()}"]
        environ = plain_environ(
            scratch.directory,
            AWS_LAMBDA_FUNCTION_NAME=FUNCTION_NAME,
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE=str(MEMORY_MIB),
            AWS_LAMBDA_FUNCTION_TIMEOUT="30",
        )
        argv = [self._binary(), *addresses, python_of("ric"), "-m", "awslambdaric", HANDLER]
        return child(argv, environ, scratch.directory, scratch.output)

    @staticmethod
    def _binary() -> Path:
        machine = MACHINES.get(platform.machine(), platform.machine())
        return site_packages("sam") / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{machine}"


def _answer(port: int) -> Endpoint:
    endpoint = Endpoint(f"http://{LOOPBACK}:{port}")
    invoke(endpoint.invoke_request(FUNCTION_NAME, EVENT))
    return endpoint
