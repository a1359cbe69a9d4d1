"""From a zip to a function that can run: stores packages, and turns Pending into Active and InProgress into Successful.

The work outstanding is what the store says it is, so a restart goes on where a server died. Nothing is deleted here.
Snapshots of versions with SnapStart don't outlive a server: they are part of the work that a restart finds.
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
from lampion.code.interpreters import RuntimeBase, RuntimeUnavailable
from lampion.code.packages import Packages
from lampion.code.sealed_code import SealedCode, Sealing
from lampion.code.zip_format import BadZip
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import DeploymentPackage, Function, Reason, State
from lampion.domain.key_problems import PACKAGE, KeyUnusable, cannot_configure, cannot_start
from lampion.domain.layer import LayerVersion
from lampion.domain.packaging import IMAGE
from lampion.domain.snap_start import is_snap_started
from lampion.store.errors import StoreClosed, StoreError
from lampion.store.functions import Changed, Functions

_AT_ONCE: Final = 4
_SNAPSHOTS_AT_ONCE: Final = 2
"""Beside the others: a snapshot takes as long as the function's Init does."""
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

_Work = tuple[FunctionKey, str]
"""$LATEST of a function together with its versions without a snapshot, or one version with a snapshot."""


class FindInterpreter(Protocol):
    """Knows what runs a runtime on this machine."""

    async def find(self, runtime: str, architecture: str) -> RuntimeBase:
        """Raises RuntimeUnavailable."""


class Expect(Protocol):
    """Is told of functions that will soon be invoked."""

    async def __call__(self, function: Function) -> None: ...


class Images(Protocol):
    """Container images."""

    async def obstacle(self, function: Function) -> Reason | None:
        """Make the function's image ready to be run; why that can't be, or None."""


class Snapshots(Protocol):
    """Snapshots of versions with SnapStart, each taken after the version's Init."""

    async def prepare(self, function: Function) -> Reason | None:
        """Have a snapshot of this version, in place of one of an earlier function of its name; ready on return.

        Nothing to do when there is one. None also when this machine can't make one: then its environments do a
        full Init. A Reason when the version's own Init failed: such a version can't become Active.
        """

    def discard(self, key: FunctionKey, version: str | None) -> None:
        """That version, or with None the function with all of them, is gone: drop its snapshots, if there are any."""


class Deployments:
    """Takes in packages, and settles functions. `run` does the work; `settle` tells it of some."""

    def __init__(
        self,
        *,
        functions: Functions,
        blobs: Blobs,
        sealed: SealedCode,
        packages: Packages,
        interpreters: FindInterpreter,
        snapshots: Snapshots,
        images: Images,
        expect: Expect,
        garbage: GarbageCollector,
        rng: Rng,
        clock: Clock,
    ) -> None:
        self._functions = functions
        self._blobs = blobs
        self._sealed = sealed
        self._packages = packages
        self._interpreters = interpreters
        self._snapshots = snapshots
        self._images = images
        self._expect = expect
        self._garbage = garbage
        self._rng = rng
        self._clock = clock
        self._submitted: asyncio.Queue[_Work] = asyncio.Queue()
        self._active: set[_Work] = set()
        self._again: set[_Work] = set()
        self._outstanding: dict[_Work, asyncio.Event] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._snapshot_places = asyncio.Semaphore(_SNAPSHOTS_AT_ONCE)

    @asynccontextmanager
    async def stored(self, zipped: bytes, sealing: Sealing | None = None) -> AsyncIterator[DeploymentPackage]:
        """The package of `zipped`, durably stored, and kept at least until the block ends: commit the function in it.

        Raises InvalidParameterValueException when the zip breaks a rule, or can't be sealed as it is to be.
        """
        package, content = await asyncio.to_thread(_checked_package, zipped), zipped
        if sealing is not None:
            try:
                package, content = await self._sealed.seal(package, zipped, sealing)
            except KeyUnusable as unusable:
                raise cannot_configure(unusable, PACKAGE) from unusable
        with self._garbage.hold(package.sha256):
            await self._blobs.put(content)
            yield package

    def settle(self, function: Function) -> None:
        """This function was just created or updated, or this version published."""
        work = _work_on(function)
        self._outstanding.setdefault(work, asyncio.Event())
        if work in self._active:
            self._again.add(work)
        else:
            self._submitted.put_nowait(work)

    async def until_settled(self, key: FunctionKey) -> None:
        """Until the work outstanding on this function's $LATEST, if any, is done or given up."""
        done = self._outstanding.get((key, LATEST))
        if done is not None:
            await done.wait()

    async def measured(self, package: DeploymentPackage) -> DeploymentPackage:
        """`package` with its unzipped size, for which its zip is read where documents of old don't tell it.

        0 for one that can't be read: no environment starts from it anyway.
        """
        if package.unzipped_bytes:
            return package
        try:
            return await asyncio.to_thread(lambda: _checked_package(self._blobs.read_now(package.sha256)))
        except (BlobMissing, BlobDamaged, InvalidParameterValueException, OSError) as error:
            _LOG.warning("the size of package %s can't be told: %s", package.sha256, error)
            return package

    def forget_layer(self, version: LayerVersion) -> None:
        """This version was just deleted: its package may be unused now, if no function has it."""
        _LOG.debug("deleted: %s", version.arn)
        self._garbage.nudge()

    def forget(self, function: Function) -> None:
        """This function, or this version, was just deleted: its package may be unused now."""
        _LOG.debug("deleted: %s", function.key.qualified_arn(function.version))
        self._snapshots.discard(function.key, None if function.version == LATEST else function.version)
        self._garbage.nudge()

    async def run(self) -> None:
        """Continue what an earlier server left, then do what is submitted, until cancelled."""
        left = (*await self._functions.unsettled(), *await self._functions.snap_started())
        for function in {_work_on(function): function for function in left}.values():
            self.settle(function)
        async with asyncio.TaskGroup() as group:
            while True:
                work = await self._submitted.get()
                if work in self._active:
                    self._again.add(work)
                else:
                    self._active.add(work)
                    group.create_task(self._work(work))

    async def _work(self, work: _Work) -> None:
        places = self._places if work[1] == LATEST else self._snapshot_places
        try:
            self._again.add(work)
            while work in self._again:
                self._again.discard(work)
                async with places:
                    await self._settle_surely(*work)
        finally:
            self._active.discard(work)
            done = self._outstanding.pop(work, None)
            if done is not None:
                done.set()

    async def _settle_surely(self, key: FunctionKey, version: str) -> None:
        """Until it is settled or gone, however long the store is in trouble."""
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            try:
                await (self._settle(key) if version == LATEST else self._settle_with_snapshot(key, version))
            except StoreClosed:
                return
            except StoreError as error:
                _LOG.warning("%s is not settled yet: %s", key.qualified_arn(version), error)
                await self._clock.sleep(pause_seconds)
                pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
            except Exception:  # a fault of ours in one function must not stop the others; a restart tries again
                _LOG.exception("%s could not be settled", key.qualified_arn(version))
                return
            else:
                return

    async def _settle(self, key: FunctionKey) -> None:
        """$LATEST, and before it the versions without a snapshot: who waits for $LATEST finds them Active as well."""
        for pending in reversed(await self._functions.unsettled_of(key)):
            if not is_snap_started(pending):
                await self._settle_one(key, pending.version)

    async def _settle_one(self, key: FunctionKey, version: str) -> None:
        while (function := await self._functions.get(key, version)) is not None and not function.is_settled:
            await self._settled(function, await self._obstacle(function))

    async def _settle_with_snapshot(self, key: FunctionKey, version: str) -> None:
        """A version with SnapStart: Active when its snapshot is there. After a restart it is Active meanwhile."""
        while (function := await self._functions.get(key, version)) is not None and function.state is not State.FAILED:
            failure = await self._obstacle(function) or await self._snapshot_obstacle(function)
            if function.is_settled:
                if failure is not None:
                    _LOG.warning("%s goes on without a snapshot: %s", key.qualified_arn(version), failure.text)
                break
            if await self._settled(function, failure):
                break
        if await self._functions.get(key, version) is None:  # deleted meanwhile
            self._snapshots.discard(key, version)

    async def _settled(self, function: Function, failure: Reason | None) -> bool:
        """Store that `function` is settled; False when it was updated or deleted meanwhile, which wins."""
        settled = function.settled(failure=failure, revision_id=self._rng.uuid4())
        try:
            await self._functions.replace(settled, expected_revision_id=function.revision_id)
        except Changed:
            return False
        return True

    async def _snapshot_obstacle(self, function: Function) -> Reason | None:
        """A snapshot that can't be made, for a fault of ours as well, costs time at each start but not the version."""
        try:
            return await self._snapshots.prepare(function)
        except Exception:
            _LOG.exception("no snapshot of %s", function.key.qualified_arn(function.version))
            return None

    async def _obstacle(self, function: Function) -> Reason | None:
        """Make all ready that an execution environment of the function needs; why that can't be, or None."""
        if function.configuration.package_type == IMAGE:
            return await self._images.obstacle(function)
        try:
            base = await self._base(function)
            await self._prepare_code(function, base)
            if base is not None:
                await self._expect(function)
        except BadZip:
            return _BAD_ZIP
        except (BlobMissing, BlobDamaged):
            return _LOST
        except RuntimeUnavailable as error:
            return Reason(str(error), "InvalidRuntime")
        except KeyUnusable as unusable:
            return cannot_start(unusable, PACKAGE)
        except OSError as error:
            return Reason(f"The deployment package could not be unpacked: {error.strerror}.", "InternalError")
        return None

    async def _base(self, function: Function) -> RuntimeBase | None:
        """Raises RuntimeUnavailable."""
        runtime, architecture = function.configuration.runtime, function.configuration.architectures[0]
        if runtime is None:
            return None
        return await self._interpreters.find(runtime, architecture)

    async def _prepare_code(self, function: Function, base: RuntimeBase | None) -> None:
        """A full disk may have room again in a moment."""
        for attempt in range(_ATTEMPTS - 1):
            try:
                await self._unpack(function, base)
            except OSError as error:
                _LOG.warning("package %s is not unpacked yet: %s", function.package.sha256, error)
                await self._clock.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
            else:
                return
        await self._unpack(function, base)

    async def _unpack(self, function: Function, base: RuntimeBase | None) -> None:
        await self._packages.prepare_package(function.package, base)
        if function.configuration.layers:
            await self._packages.prepare_layers(function.configuration.layers, base)


def _work_on(function: Function) -> _Work:
    return function.key, function.version if is_snap_started(function) else LATEST


def _checked_package(zipped: bytes) -> DeploymentPackage:
    unzipped_bytes = check(zipped)
    digest = hashlib.sha256(zipped)
    return DeploymentPackage(
        sha256=digest.hexdigest(),
        code_sha256=base64.b64encode(digest.digest()).decode(),
        size_bytes=len(zipped),
        unzipped_bytes=unzipped_bytes,
    )
