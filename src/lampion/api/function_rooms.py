"""What every operation on functions works with, and the shape in which each answers."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lampion.api.function_shape import configuration_members
from lampion.api.layer_reach import attachable_layers, check_attached
from lampion.aws.operation import RequestContext
from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.code.deployments import Deployments
from lampion.code.images.sources import ImageSources
from lampion.code.runtimes import Runtimes
from lampion.code.sealed_code import Sealing
from lampion.domain.arn import FunctionKey
from lampion.domain.code_signing import FunctionCodeSigning, check_signable
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import DeploymentPackage, Function, FunctionConfiguration
from lampion.domain.function_rules import update_in_progress
from lampion.domain.image import Registry
from lampion.domain.key_problems import KeyUnusable, cannot_configure
from lampion.domain.kms.errors import NotFoundException
from lampion.domain.kms.grant import Grant
from lampion.domain.layer import check_layer_arns, check_unzipped_bytes
from lampion.domain.packaging import CodeSource, check_storage
from lampion.domain.role_needs import RoleNeed, needs_of_configuration
from lampion.domain.snap_start import OptimizationStatus
from lampion.domain.version import LATEST_PUBLISHED, Publication, publication
from lampion.identity.function_environments import FunctionEnvironments, is_grant_of
from lampion.invoke.lookup import FunctionLookup
from lampion.store.cached_resources import CachedResources
from lampion.store.capacity_providers import note_capacity_use
from lampion.store.code_signing import FUNCTION_CODE_SIGNINGS, existing_config
from lampion.store.functions import Changed, Functions
from lampion.store.kms import GRANTS, grants_of_function, keep_grant
from lampion.store.resources import Stored


class SnapshotStatus(Protocol):
    """Knows which versions have a snapshot at this moment."""

    def optimization_status(self, function: Function) -> OptimizationStatus: ...


class Permissions(Protocol):
    """Knows what roles may: AWS's sentence for what one may not, or None."""

    async def denial(self, account_id: str, role_arn: str, action: str, resource: str) -> str | None: ...


class CodeLinks(Protocol):
    """Addresses under which a caller downloads a package for some minutes."""

    def link(self, package: DeploymentPackage, context: RequestContext) -> str: ...

    async def check(self, package: DeploymentPackage, context: RequestContext) -> None:
        """Raises KeyUnusable for an encrypted package that the caller may not decrypt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRooms:
    """The rooms behind the operations on functions."""

    functions: Functions
    resources: CachedResources
    lookup: FunctionLookup
    deployments: Deployments
    images: ImageSources
    runtimes: Runtimes
    snapshots: SnapshotStatus
    environments: FunctionEnvironments
    clock: Clock
    rng: Rng
    permissions: Permissions | None = None
    """Without them roles may all."""

    def now_epoch_ms(self) -> int:
        return int(self.clock.now() * 1000)

    async def commit_new(
        self,
        function: Function,
        *,
        published: Function | None,
        signing_arn: str | None,
        grant: Grant | None = None,
    ) -> None:
        """Store a new function, with its first version, the code signing configuration it is held to, and Lambda's
        grant on its key, if any.

        Raises AlreadyExists, CodeStorageExceededException, CodeSigningConfigNotFoundException,
        InvalidParameterValueException when somebody deleted one of its layers meanwhile, and what check_signable and
        note_capacity_use raise.
        """

        def insert(stored: Stored) -> None:
            check_attached(stored, function.configuration.layers)
            stored.insert_function(function, published=published)
            _keep_grant(stored, grant)
            check_storage(stored.code_use(function.key.account_id, function.key.region).code_bytes)
            _note_uses(stored, function, published)
            if signing_arn is not None:
                check_signable(function)
                existing_config(stored, function.key, signing_arn)
                stored.put(FUNCTION_CODE_SIGNINGS, FunctionCodeSigning(function.key, signing_arn))

        await self.resources.change(insert)
        self.settle(function, published)

    async def commit_update(
        self, before: Function, changed: Function, *, published: Function | None = None, grant: Grant | None = None
    ) -> None:
        """Store `changed` in place of `before`, with the version published of it and Lambda's new grant on its key, if
        any, and have them settled.

        Raises ResourceConflictException when somebody else changed the function meanwhile,
        InvalidParameterValueException when somebody deleted a layer that it is to have from now on,
        CodeStorageExceededException, and what note_capacity_use raises.
        """
        had = before.configuration.layers
        layers = [layer for layer in changed.configuration.layers if layer not in had]
        grows = published is not None or changed.package.size_bytes > before.package.size_bytes

        def replace_function(stored: Stored) -> None:
            check_attached(stored, layers)
            stored.replace_function(changed, expected_revision_id=before.revision_id, published=published)
            _keep_grant(stored, grant, before, changed)
            if grows:
                check_storage(stored.code_use(changed.key.account_id, changed.key.region).code_bytes)
            _note_uses(stored, changed, published)

        try:
            await self.resources.change(replace_function)
        except Changed:
            raise update_in_progress(before) from None
        self.settle(changed, published)

    async def check_role(self, account_id: str, role_arn: str, needs: Iterable[RoleNeed]) -> None:
        """Raises InvalidParameterValueException for what the role of a function of that account can't."""
        if self.permissions is None:
            return
        for need in needs:
            asked = [await self.permissions.denial(account_id, role_arn, one, need.resource) for one in need.actions]
            if all(denial is not None for denial in asked):
                raise InvalidParameterValueException(need.refusal)

    async def check_configured(
        self, key: FunctionKey, before: FunctionConfiguration | None, after: FunctionConfiguration
    ) -> None:
        """As check_role, for what an update of `before`, or a creation, connects the function to."""
        await self.check_role(key.account_id, after.role, needs_of_configuration(key, before, after))

    def held_code(
        self,
        source: CodeSource,
        code: Mapping[str, Any],
        context: RequestContext,
        key: FunctionKey,
        configuration: FunctionConfiguration,
    ) -> AbstractAsyncContextManager[DeploymentPackage]:
        """The code that a request brings or names, encrypted for its function if it says so; kept until the block ends.

        Raises InvalidParameterValueException.
        """
        if source is CodeSource.UPLOAD:
            key_arn = code.get("SourceKMSKeyArn")
            sealing = Sealing(key, key_arn, context.asker) if key_arn else None
            return self.deployments.stored(code["ZipFile"], sealing)
        caller = Registry(context.account_id, context.region)
        return self.images.held(code["ImageUri"], caller, context.host, configuration.architectures[0])

    async def with_layers(
        self, configuration: FunctionConfiguration, members: Mapping[str, Any], context: RequestContext
    ) -> FunctionConfiguration:
        """`configuration` with the layers that a request names, if it speaks of layers.

        Raises InvalidParameterValueException, AccessDeniedException.
        """
        arns = members.get("Layers")
        if arns is None:
            return configuration
        check_layer_arns(arns)
        if not arns:
            return replace(configuration, layers=())
        layers = await self.resources.read(lambda stored: attachable_layers(stored, arns, context))
        return replace(configuration, layers=layers)

    async def check_unzipped(self, configuration: FunctionConfiguration, package: DeploymentPackage) -> None:
        """Raises InvalidParameterValueException for layers and code that are too large together."""
        if configuration.layers:
            measured = await self.deployments.measured(package)
            check_unzipped_bytes(configuration.layers, measured.unzipped_bytes)

    async def publication(
        self, latest: Function, description: str | None = None, *, publish_to: str | None = None
    ) -> Publication:
        """What publishing `latest` makes: a new version, or (PublishTo) $LATEST.PUBLISHED anew. Nothing is stored."""
        is_numbered = publish_to is None
        last = await self.functions.get(latest.key, str(latest.last_version) if is_numbered else LATEST_PUBLISHED)
        return publication(
            latest,
            last,
            description=description,
            latest_revision_id=self.rng.uuid4(),
            version_revision_id=self.rng.uuid4(),
            is_numbered=is_numbered,
        )

    def settle(self, function: Function, published: Function | None) -> None:
        """Have done what is outstanding on what was just stored."""
        for stored in (function, published):
            if stored is not None and not stored.is_settled:
                self.deployments.settle(stored)

    async def shape(
        self, function: Function, context: RequestContext, *, qualifier: str | None = None
    ) -> Mapping[str, Any]:
        """The shape FunctionConfiguration; its ARN ends in the version or alias by which the function is answered.

        Who may not decrypt the function's variables sees why not in their place.
        """
        arn = self.runtimes.version_arn(function)
        status = self.snapshots.optimization_status(function)
        members = configuration_members(
            function, runtime_version_arn=arn, optimization_status=status, qualifier=qualifier
        )
        return {**members, "Environment": await self.environments.shown(function, context.asker)}


def _keep_grant(stored: Stored, grant: Grant | None, *of: Function) -> None:
    """In place of those that the function had before, as far as none of `of` needs them: what it was, and what it is
    to be. Versions may need them all. Raises InvalidParameterValueException when its key has gone meanwhile.
    """
    if grant is None:
        return
    try:
        keep_grant(stored, grant)
    except NotFoundException as error:
        raise cannot_configure(KeyUnusable("CreateGrant", error)) from None
    if not of or any(function.last_version for function in of):
        return
    for other in grants_of_function(stored, of[0].key):
        if not any(is_grant_of(other, function) for function in of):
            stored.delete(GRANTS, GRANTS.place(other))


def _note_uses(stored: Stored, *functions: Function | None) -> None:
    """In the transaction that stores them: what these use that must not be deleted under them, and may be full."""
    for function in functions:
        if function is not None:
            note_capacity_use(stored, function)
