"""Where the same operations are asked: in this process over stores in memory, or of a live server with boto3."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

from botocore import xform_name
from botocore.exceptions import ClientError

from lampion.app.operations import operations
from lampion.aws.model import load_service
from lampion.aws.operation import RequestContext, collect
from lampion.aws.validator import validate
from lampion.clock.rng import SeededRng
from lampion.code.runtimes import Runtimes
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ApiError
from lampion.domain.function import DeploymentPackage, Function
from lampion.domain.snap_start import OptimizationStatus
from lampion.identity.function_environments import FunctionEnvironments
from lampion.invoke.lookup import FunctionLookup
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources
from tests.component.store.samples import ACCOUNT, REGION
from tests.deployment import wait_active, wait_updated
from tests.kms_in_memory import KmsInMemory
from tests.unit.code.conftest import make_rooms


@dataclass(frozen=True)
class Answer:
    """The error's code, or None, and the members of the output."""

    error: str | None
    members: dict[str, Any]


class Plane(Protocol):
    """A control plane of one account, at first without functions."""

    def ask(self, operation: str, **members: Any) -> Answer:
        """The operation's answer. What takes time after it is over on return."""

    def close(self) -> None: ...


class InProcess:
    """The operations themselves, over stores in memory; deployments are real, environments there are none."""

    def __init__(self, directory: Path) -> None:
        self._loop = asyncio.new_event_loop()
        directory.mkdir()
        stored = MemoryFunctions()
        functions = CachedFunctions(stored)
        resources = CachedResources(MemoryResources(stored.tables), functions)
        self._code = make_rooms(directory, stored, cache=functions)
        kms, rng = KmsInMemory(directory, resources), SeededRng(7)
        lookup = FunctionLookup(functions, resources, rng)
        self._service = load_service("lambda")
        self._handlers = collect(
            self._service,
            operations(
                _any(concurrency_limit=1000),
                _any(clock=self._code.clock, rng=rng),
                _any(functions=functions, resources=resources, server_secret=_any(value="s" * 40)),
                _any(
                    lookup=lookup,
                    deployments=self._code.deployments,
                    image_sources=None,
                    runtimes=Runtimes(self._code.clock, NoVersions()),
                    snapshots=NoSnapshots(),
                    environments=FunctionEnvironments(kms.function_keys, kms.clock),
                    keys=_any(directory=kms.directory),
                    pool=NoEnvironments(),
                    invoker=None,
                    events=None,
                    provisioning=None,
                    tracing=None,
                ),
                Links(),
            ),
        )
        self._running = self._loop.create_task(self._code.deployments.run())

    def ask(self, operation: str, **members: Any) -> Answer:
        return self._loop.run_until_complete(self._ask(operation, members))

    def close(self) -> None:
        self._running.cancel()
        self._loop.run_until_complete(asyncio.gather(self._running, return_exceptions=True))
        self._loop.close()

    async def _ask(self, operation: str, members: dict[str, Any]) -> Answer:
        context = RequestContext(account_id=ACCOUNT, region=REGION, principal="key", request_id="id", host="here")
        try:
            validate(self._service.operations[operation], members)
            output = await self._handlers[operation](context, members)
        except ApiError as error:
            return Answer(error.code, {})
        while self._code.deployments._outstanding:
            await asyncio.sleep(0)
        return Answer(None, {name: value for name, value in output.items() if value is not None})


class Live:
    """boto3 and a server; what was made here is deleted at the end."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def ask(self, operation: str, **members: Any) -> Answer:
        try:
            answer = getattr(self._client, xform_name(operation))(**members)
        except ClientError as error:
            return Answer(error.response["Error"]["Code"], {})
        if operation in ("CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration"):
            wait_active(self._client, members["FunctionName"])
            wait_updated(self._client, members["FunctionName"])
        answer.pop("ResponseMetadata")
        return Answer(None, answer)

    def close(self) -> None:
        for function in self._client.list_functions()["Functions"]:
            self._client.delete_function(FunctionName=function["FunctionName"])


class NoVersions:
    """Nothing is known of interpreters."""

    def known_version(self, runtime: str) -> str | None:
        return None


class NoSnapshots:
    """None is ever there."""

    def optimization_status(self, function: Function) -> OptimizationStatus:
        return OptimizationStatus.OFF


class NoEnvironments:
    """Nothing to retire."""

    def retire_function(self, key: FunctionKey) -> None:
        pass

    def retire_version(self, key: FunctionKey, version: str) -> None:
        pass


class Links:
    """To whatever package, for everybody."""

    def link(self, package: DeploymentPackage, context: RequestContext) -> str:
        return f"http://here/{package.sha256}"

    async def check(self, package: DeploymentPackage, context: RequestContext) -> None:
        pass


def _any(**attributes: Any) -> Any:
    return SimpleNamespace(**attributes)
