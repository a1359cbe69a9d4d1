"""From a zip to a function that can run: stores packages, and turns Pending into Active and InProgress into Successful.

The work outstanding is what the store says it is, so a restart goes on where a server died. Nothing is deleted here.
"""

import asyncio
import base64
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.code.archive import check
from lampion.code.blobs import BlobDamaged, BlobMissing, Blobs
from lampion.code.garbage import GarbageCollector
from lampion.code.interpreters import Interpreter, RuntimeUnavailable
from lampion.code.packages import Packages
from lampion.code.zip_format import BadZip
from lampion.domain.arn import FunctionKey
from lampion.domain.function import DeploymentPackage, Function, Reason
from lampion.store.errors import StoreClosed, StoreError
from lampion.store.functions import Changed, Functions

_AT_ONCE: Final = 4
_ATTEMPTS: Final = 4
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 60.0

_BAD_ZIP: Final = Reason(
    "Could not unzip the deployment package. Please check it, then update the function's code.",
    "InvalidZipFileException",
)
_LOST: Final = Reason(
    "The deployment package is lost or damaged on this machine. Please update the function's code.", "InternalError"
)

_LOG = logging.getLogger(__name__)


class FindInterpreter(Protocol):
    """Knows what runs a runtime on this machine."""

    async def find(self, runtime: str) -> Interpreter:
        """Raises RuntimeUnavailable."""


class Deployments:
    """Takes in packages, and settles functions. `run` does the work; `settle` tells it of some."""

    def __init__(
        self,
        *,
        functions: Functions,
        blobs: Blobs,
        packages: Packages,
        interpreters: FindInterpreter,
        garbage: GarbageCollector,
        rng: Rng,
        clock: Clock,
    ) -> None:
        self._functions = functions
        self._blobs = blobs
        self._packages = packages
        self._interpreters = interpreters
        self._garbage = garbage
        self._rng = rng
        self._clock = clock
        self._submitted: asyncio.Queue[FunctionKey] = asyncio.Queue()
        self._active: set[FunctionKey] = set()
        self._again: set[FunctionKey] = set()
        self._outstanding: dict[FunctionKey, asyncio.Event] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def stored(self, zipped: bytes) -> AsyncIterator[DeploymentPackage]:
        """The package of `zipped`, durably stored, and kept at least until the block ends: commit the function in it.

        Raises InvalidParameterValueException when the zip breaks a rule.
        """
        package = await asyncio.to_thread(_checked_package, zipped)
        with self._garbage.hold(package.sha256):
            await self._blobs.put(zipped)
            yield package

    def settle(self, key: FunctionKey) -> None:
        """This function was just created or updated."""
        self._outstanding.setdefault(key, asyncio.Event())
        if key in self._active:
            self._again.add(key)
        else:
            self._submitted.put_nowait(key)

    async def until_settled(self, key: FunctionKey) -> None:
        """Until the work outstanding on this function, if any, is done or given up."""
        done = self._outstanding.get(key)
        if done is not None:
            await done.wait()

    def forget(self, function: Function) -> None:
        """This function was just deleted: its package may be unused now."""
        _LOG.debug("deleted: %s", function.key.arn)
        self._garbage.nudge()

    async def run(self) -> None:
        """Continue what an earlier server left, then do what is submitted, until cancelled."""
        for function in await self._functions.unsettled():
            self.settle(function.key)
        async with asyncio.TaskGroup() as group:
            while True:
                key = await self._submitted.get()
                if key in self._active:
                    self._again.add(key)
                else:
                    self._active.add(key)
                    group.create_task(self._work(key))

    async def _work(self, key: FunctionKey) -> None:
        try:
            self._again.add(key)
            while key in self._again:
                self._again.discard(key)
                async with self._places:
                    await self._settle_surely(key)
        finally:
            self._active.discard(key)
            done = self._outstanding.pop(key, None)
            if done is not None:
                done.set()

    async def _settle_surely(self, key: FunctionKey) -> None:
        """Until it is settled or gone, however long the store is in trouble."""
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._settle(key)
            except StoreClosed:
                return
            except StoreError as error:
                _LOG.warning("%s is not settled yet: %s", key.arn, error)
                await self._clock.sleep(pause_seconds)
                pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
            except Exception:  # a fault of ours in one function must not stop the others; a restart tries again
                _LOG.exception("%s could not be settled", key.arn)
                return
            else:
                return

    async def _settle(self, key: FunctionKey) -> None:
        while (function := await self._functions.get(key)) is not None and not function.is_settled:
            failure = await self._obstacle(function)
            settled = function.settled(failure=failure, revision_id=self._rng.uuid4())
            try:
                await self._functions.replace(settled, expected_revision_id=function.revision_id)
            except Changed:
                continue  # updated or deleted meanwhile: that wins

    async def _obstacle(self, function: Function) -> Reason | None:
        """Make all ready that an execution environment of the function needs; why that can't be, or None."""
        try:
            interpreter = await self._interpreter(function.configuration.runtime)
            await self._prepare_package(function.package.sha256, interpreter)
        except BadZip:
            return _BAD_ZIP
        except (BlobMissing, BlobDamaged):
            return _LOST
        except RuntimeUnavailable as error:
            return Reason(str(error), "InvalidRuntime")
        except OSError as error:
            return Reason(f"The deployment package could not be unpacked: {error.strerror}.", "InternalError")
        return None

    async def _interpreter(self, runtime: str | None) -> Interpreter | None:
        """Raises RuntimeUnavailable."""
        return None if runtime is None else await self._interpreters.find(runtime)

    async def _prepare_package(self, sha256: str, interpreter: Interpreter | None) -> None:
        """A full disk may have room again in a moment."""
        for attempt in range(_ATTEMPTS - 1):
            try:
                await self._packages.prepare(sha256, interpreter)
            except OSError as error:
                _LOG.warning("package %s is not unpacked yet: %s", sha256, error)
                await self._clock.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
            else:
                return
        await self._packages.prepare(sha256, interpreter)


def _checked_package(zipped: bytes) -> DeploymentPackage:
    check(zipped)
    digest = hashlib.sha256(zipped)
    return DeploymentPackage(
        sha256=digest.hexdigest(), code_sha256=base64.b64encode(digest.digest()).decode(), size_bytes=len(zipped)
    )
