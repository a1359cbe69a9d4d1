"""A function: its configuration, its code, and where it stands between Pending and Active.

Shapes: FunctionConfiguration and its members (botocore `lambda` 2015-03-31). Members that Lampion only
keeps and gives back are documents, as the caller sent them.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from lampion.domain import limits
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.runtime_management import AUTOMATIC, RuntimeManagement

Document = dict[str, Any]
"""A structure of the API kept as sent: wire spelling, JSON values."""


class State(StrEnum):
    PENDING = "Pending"
    ACTIVE = "Active"
    INACTIVE = "Inactive"
    FAILED = "Failed"


class LastUpdateStatus(StrEnum):
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    IN_PROGRESS = "InProgress"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a state is what it is: the sentence and its code (StateReason, StateReasonCode)."""

    text: str
    code: str


CREATING = Reason("The function is being created.", "Creating")


@dataclass(frozen=True, slots=True)
class DeploymentPackage:
    """A zip that is stored: `sha256` names the blob (hex); `code_sha256` is AWS's base64 spelling of it.

    With `source_kms_key_arn`, the blob is encrypted (`is_encrypted`), and `sha256` is that of the ciphertext.
    `unzipped_bytes` is 0 where it isn't known: documents written before it was kept don't tell it.
    Of a container image, both names are its manifest's digest (hex), sizes are 0, and `image_uri` is how it was named.
    """

    sha256: str
    code_sha256: str
    size_bytes: int
    unzipped_bytes: int = 0
    source_kms_key_arn: str | None = None
    image_uri: str | None = None

    @property
    def is_encrypted(self) -> bool:
        """Whether the blob is ciphertext. Servers that encrypted nothing named it as what the caller sent."""
        if self.source_kms_key_arn is None or self.image_uri is not None:
            return False
        return self.sha256 != base64.b64decode(self.code_sha256).hex()

    @property
    def image_digest(self) -> str:
        return f"sha256:{self.sha256}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedLayer:
    """A layer version as a function got it when it named it: it has it for good, whatever becomes of the version."""

    arn: str
    package: DeploymentPackage
    signing_profile_version_arn: str | None = None
    signing_job_arn: str | None = None


def layers_name(layers: Iterable[AttachedLayer]) -> str | None:
    """Names what these layers are when merged in this order (hex, as if it were a blob's); None without layers."""
    merged = "\n".join(layer.package.sha256 for layer in layers)
    return hashlib.sha256(merged.encode()).hexdigest() if merged else None


def layer_code(layers: Sequence[AttachedLayer]) -> tuple[str, ...]:
    """`sha256` of each layer, and the name of what they are merged to."""
    name = layers_name(layers)
    return () if name is None else (*(layer.package.sha256 for layer in layers), name)


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """Where and how a function logs; levels are None while the format is Text."""

    log_group: str
    log_format: str = "Text"
    application_log_level: str | None = None
    system_log_level: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfiguration:
    """What a caller sets; every member has AWS's default already applied.

    `environment` is as the caller sent it, or as a starting environment gets it. It is never stored: what is kept are
    the variables as KMS encrypted them, in `sealed_environment` (identity.function_environments).
    """

    role: str
    handler: str | None = None
    runtime: str | None = None
    package_type: str = "Zip"
    description: str = ""
    timeout_seconds: int = limits.TIMEOUT_SECONDS_DEFAULT
    memory_mib: int = limits.MEMORY_MIB_DEFAULT
    ephemeral_storage_mib: int = limits.EPHEMERAL_STORAGE_MIB_DEFAULT
    architectures: tuple[str, ...] = ("x86_64",)
    environment: dict[str, str] | None = field(default=None, repr=False)
    logging: LoggingConfig
    tracing_mode: str = "PassThrough"
    snap_start_apply_on: str = "None"
    layers: tuple[AttachedLayer, ...] = ()
    kms_key_arn: str | None = None
    vpc_config: Document | None = None
    dead_letter_config: Document | None = None
    file_system_configs: tuple[Document, ...] = ()
    image_config: Document | None = None
    tenancy_config: Document | None = None
    capacity_provider_config: Document | None = None
    durable_config: Document | None = None
    runtime_config: Document | None = None
    accelerator_config: Document | None = None
    sealed_environment: bytes | None = field(default=None, repr=False)

    @property
    def has_variables(self) -> bool:
        """Whether there is anything to encrypt."""
        return bool(self.environment) or self.sealed_environment is not None


@dataclass(frozen=True, slots=True)
class Deployed:
    """A configuration and code that ran together."""

    configuration: FunctionConfiguration
    package: DeploymentPackage

    @property
    def code(self) -> frozenset[str]:
        """Names all stored code of it."""
        return frozenset((self.package.sha256, *layer_code(self.configuration.layers)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """$LATEST of a function, or one of its versions: what is configured, which code, and how far it has got.

    `last_version` counts the versions ever published (kept by $LATEST); `published_from` is what $LATEST was
    described as when this version was published. `before_update` is what an Active function goes back to when the
    update that is under way fails. `creation_id` is new with each creation, and versions have that of their function: a
    function that was deleted and one made again under its name aren't the same.
    """

    key: FunctionKey
    configuration: FunctionConfiguration
    package: DeploymentPackage
    revision_id: str
    last_modified_epoch_ms: int
    state: State = State.PENDING
    state_reason: Reason | None = CREATING
    last_update_status: LastUpdateStatus | None = None
    last_update_reason: Reason | None = None
    tags: dict[str, str] = field(default_factory=dict)
    version: str = LATEST
    last_version: int = 0
    published_from: str | None = None
    runtime_management: RuntimeManagement = AUTOMATIC
    before_update: Deployed | None = None
    creation_id: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether no work on it is outstanding; a restart continues the others."""
        return self.state is not State.PENDING and self.last_update_status is not LastUpdateStatus.IN_PROGRESS

    @property
    def code_in_use(self) -> frozenset[str]:
        """Names all stored code that its environments may be made of, now or when its update fails."""
        before = frozenset[str]() if self.before_update is None else self.before_update.code
        return before | Deployed(self.configuration, self.package).code

    def changed(
        self,
        *,
        configuration: FunctionConfiguration | None = None,
        package: DeploymentPackage | None = None,
        revision_id: str,
        now_epoch_ms: int,
    ) -> "Function":
        """This function with an update in progress. AWS gives an update the reason of a creation."""
        return replace(
            self,
            configuration=configuration or self.configuration,
            package=package or self.package,
            revision_id=revision_id,
            last_modified_epoch_ms=now_epoch_ms,
            last_update_status=LastUpdateStatus.IN_PROGRESS,
            last_update_reason=CREATING,
            before_update=Deployed(self.configuration, self.package) if self.state is State.ACTIVE else None,
        )

    def settled(self, *, failure: Reason | None, revision_id: str) -> "Function":
        """This function with its outstanding work done, or given up because of `failure`.

        A failed update leaves a running function what it was before; a good one revives a function that had failed.
        Source: Lambda developer guide, page "Lambda function states".
        """
        created = self.state is State.PENDING
        state, state_reason = self.state, self.state_reason
        if failure is None:
            state, state_reason = State.ACTIVE, None
        elif created:
            state, state_reason = State.FAILED, failure
        runs = Deployed(self.configuration, self.package)
        if failure is not None and self.before_update is not None:
            runs = self.before_update
        return replace(
            self,
            configuration=runs.configuration,
            package=runs.package,
            before_update=None,
            state=state,
            state_reason=state_reason,
            last_update_status=LastUpdateStatus.SUCCESSFUL if failure is None else LastUpdateStatus.FAILED,
            last_update_reason=failure,
            revision_id=revision_id,
        )
