"""What the composition root has built, in the order in which it is built."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lampion.clock.adjustable import AdjustableClock
from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.code.blobs import Blobs
from lampion.code.deployments import Deployments
from lampion.code.encrypted_packages import EncryptedPackages
from lampion.code.garbage import GarbageCollector
from lampion.code.images.sources import ImageSources
from lampion.code.images.store import Images
from lampion.code.packages import Packages
from lampion.code.runtime_trees import RuntimeTrees
from lampion.code.runtimes import Runtimes
from lampion.code.sealed_code import SealedCode
from lampion.environments.pool import EnvironmentPool
from lampion.environments.snapshots import VersionSnapshots
from lampion.event_queue.queues import Queues
from lampion.function_logs.journal import FunctionLogs
from lampion.gateway.function_doors import FunctionDoors
from lampion.identity.access_keys import AccessKeyring
from lampion.identity.encryption_keys import EncryptionKeys
from lampion.identity.function_environments import FunctionEnvironments
from lampion.identity.function_keys import FunctionKeys
from lampion.identity.keys import Keys
from lampion.identity.service_access import ServiceAccess
from lampion.invoke.event_acceptance import EventAcceptance
from lampion.invoke.invoker import Invoker
from lampion.invoke.lookup import FunctionLookup
from lampion.invoke.provisioning import Provisioning
from lampion.invoke.tracing import Tracing
from lampion.sandbox.driver import Driver
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.data_directory import DataDirectory
from lampion.store.entries import Entries
from lampion.store.queue_contents import QueueContents
from lampion.store.server_secret import ServerSecret
from lampion.telemetry.health import Health
from lampion.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Ports:
    """What the rest reaches the machine, and tells who runs it, through.

    `clock` is the machine's: for deadlines, durations, signatures, logs. `agenda` is for what waits long: retries,
    ages, schedules; it is `adjustable` where the server's clock can be advanced, else `clock`.
    """

    clock: Clock
    agenda: Clock
    adjustable: AdjustableClock | None
    rng: Rng
    driver: Driver
    health: Health
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that survives a restart."""

    directory: DataDirectory
    functions: CachedFunctions
    resources: CachedResources
    entries: Entries
    queue_contents: QueueContents
    keys: AccessKeyring
    server_secret: ServerSecret
    encryption_keys: EncryptionKeys
    function_keys: FunctionKeys
    blobs: Blobs
    sealed: SealedCode
    encrypted: EncryptedPackages
    packages: Packages
    images: Images
    runtime_trees: RuntimeTrees
    logs: FunctionLogs
    write_anew: Callable[[], Awaitable[None]]
    """The database's whole file: see Database.write_anew."""


@dataclass(frozen=True, slots=True)
class Work:
    """The domain in motion."""

    lookup: FunctionLookup
    runtimes: Runtimes
    deployments: Deployments
    image_sources: ImageSources
    garbage: GarbageCollector
    snapshots: VersionSnapshots
    pool: EnvironmentPool
    invoker: Invoker
    events: EventAcceptance
    queues: Queues
    provisioning: Provisioning
    keys: Keys
    environments: FunctionEnvironments
    doors: FunctionDoors
    tracing: Tracing
    service_access: ServiceAccess
