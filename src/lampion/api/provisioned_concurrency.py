"""PutProvisionedConcurrencyConfig, GetProvisionedConcurrencyConfig, ListProvisionedConcurrencyConfigs, and
DeleteProvisionedConcurrencyConfig.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.domain.concurrency import check_provisioned_total
from lampion.domain.errors import InvalidParameterValueException, ProvisionedConcurrencyConfigNotFoundException
from lampion.domain.function import Function
from lampion.domain.function_rules import check_updatable
from lampion.domain.provisioned_concurrency import (
    Allocation,
    ProvisionedConcurrency,
    Status,
    check_only_one,
    check_published,
    check_starts_anew,
    check_unweighted,
)
from lampion.domain.tenancy import check_shared
from lampion.invoke.qualifier import Target, alias_not_found, check_unqualified, function_not_found, resolve
from lampion.store.aliases import ALIASES, alias_place, aliases_of
from lampion.store.concurrency import (
    PROVISIONED,
    ProvisionedVersion,
    claims,
    provisioned_of,
    provisioned_place,
    with_versions,
)
from lampion.store.resources import Stored, function_owner

Members = dict[str, Any]

_LIST = "ListProvisionedConcurrencyConfigs"


class Allocations(Protocol):
    """Knows how far configurations have been carried out."""

    def allocation(self, config: ProvisionedConcurrency, version: str) -> Allocation:
        """Of one that counts for `version` now; true at this moment."""


class ProvisionedConcurrencyApi:
    """What is to be initialised ahead of invocations, by version or alias."""

    def __init__(self, rooms: FunctionRooms, *, allocations: Allocations, markers: Markers, limit: int) -> None:
        self._rooms = rooms
        self._allocations = allocations
        self._markers = markers
        self._limit = limit

    @operation("PutProvisionedConcurrencyConfig")
    async def put_provisioned_concurrency_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """The version gets a new RevisionId with it, as on AWS."""
        target = _target(context, members, "PutProvisionedConcurrencyConfig")
        config = ProvisionedConcurrency(
            key=target.key,
            qualifier=target.qualifier or "",
            executions=members["ProvisionedConcurrentExecutions"],
            last_modified_epoch_ms=self._rooms.now_epoch_ms(),
        )
        revision_id = self._rooms.rng.uuid4()

        def put(stored: Stored) -> str:
            version = _provisionable(stored, target)
            self._check(stored, config)
            stored.put(PROVISIONED, config)
            stored.replace_function(replace(version, revision_id=revision_id), expected_revision_id=version.revision_id)
            return version.version

        version = await self._rooms.resources.change(put)
        now = self._allocations.allocation(config, version)
        return config_members(config, replace(now, status=Status.IN_PROGRESS, reason=None))

    @operation("GetProvisionedConcurrencyConfig")
    async def get_provisioned_concurrency_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "GetProvisionedConcurrencyConfig")
        _check_published_target(target)

        def get(stored: Stored) -> ProvisionedVersion:
            version = _version(stored, target)
            config = stored.get(PROVISIONED, provisioned_place(target.key, target.qualifier or ""))
            if config is None:
                raise ProvisionedConcurrencyConfigNotFoundException(
                    "No Provisioned Concurrency Config found for this function"
                )
            return ProvisionedVersion(config, version.version)

        return self._members(await self._rooms.resources.read(get))

    @operation("ListProvisionedConcurrencyConfigs")
    async def list_provisioned_concurrency_configs(
        self, context: RequestContext, members: Members
    ) -> Mapping[str, Any]:
        target = resolve(members["FunctionName"], None, context, _LIST)
        check_unqualified(target)
        key = (await self._rooms.lookup.find_unqualified(target)).key
        owner, asked = function_owner(key.name), self._markers.asked(_LIST, members)
        after = None if asked.after is None else (owner, asked.after)

        def read(stored: Stored) -> Sequence[ProvisionedVersion]:
            place = (key.account_id, key.region)
            return with_versions(stored, stored.page(PROVISIONED, *place, owner=owner, after=after, limit=asked.wanted))

        page = asked.page(await self._rooms.resources.read(read), lambda one: one.config.qualifier)
        return {
            "ProvisionedConcurrencyConfigs": [
                {"FunctionArn": one.config.arn, **self._members(one)} for one in page.shown
            ],
            "NextMarker": page.next_marker,
        }

    @operation("DeleteProvisionedConcurrencyConfig")
    async def delete_provisioned_concurrency_config(
        self, context: RequestContext, members: Members
    ) -> Mapping[str, Any]:
        """AWS answers as well when nothing is configured there."""
        target = _target(context, members, "DeleteProvisionedConcurrencyConfig")
        _check_published_target(target)

        def delete(stored: Stored) -> None:
            _version(stored, target)
            stored.delete(PROVISIONED, provisioned_place(target.key, target.qualifier or ""))

        await self._rooms.resources.change(delete)
        return {}

    def _members(self, one: ProvisionedVersion) -> Mapping[str, Any]:
        return config_members(one.config, self._allocations.allocation(one.config, one.version))

    def _check(self, stored: Stored, config: ProvisionedConcurrency) -> None:
        """Raises what the function's other configurations and the account's limit say against this one."""
        key, present = config.key, provisioned_of(stored, config.key)
        aliases = {alias.name: alias for alias in aliases_of(stored, key)}
        others = [one for one in present if one.qualifier != config.qualifier]
        check_only_one(config.qualifier, [one.qualifier for one in others], aliases)
        total = config.executions + sum(one.executions for one in others)
        check_provisioned_total(claims(stored, key.account_id, key.region, limit=self._limit), key.name, total)


def config_members(config: ProvisionedConcurrency, allocation: Allocation) -> Mapping[str, Any]:
    """What all answers about a configuration have in common."""
    moment = datetime.fromtimestamp(config.last_modified_epoch_ms // 1000, UTC)
    return {
        "RequestedProvisionedConcurrentExecutions": config.executions,
        "AllocatedProvisionedConcurrentExecutions": allocation.allocated,
        "AvailableProvisionedConcurrentExecutions": allocation.available,
        "Status": allocation.status.value,
        "StatusReason": allocation.reason,
        "LastModified": f"{moment:%Y-%m-%dT%H:%M:%S}+0000",
    }


def _target(context: RequestContext, members: Members, action: str) -> Target:
    return resolve(members["FunctionName"], members["Qualifier"], context, action)


def _check_published_target(target: Target) -> None:
    """Raises InvalidParameterValueException for $LATEST."""
    if target.is_latest:
        raise InvalidParameterValueException("The function resource provided must be an alias or a published version.")


def _provisionable(stored: Stored, target: Target) -> Function:
    """The version for which the target's configuration counts. Raises the API's error when it can't have one."""
    check_published(target.qualifier or "")
    version = _version(stored, target)
    check_published(version.version)
    check_starts_anew(version)
    check_shared(version.configuration, "Provisioned Concurrency")
    if target.alias_name is not None:
        alias = stored.get(ALIASES, alias_place(target.key, target.alias_name))
        assert alias is not None
        check_unweighted(alias)
    check_updatable(version)
    return version


def _version(stored: Stored, target: Target) -> Function:
    """The version that the target names; an alias stands for its main one. Raises ResourceNotFoundException."""
    name = target.qualifier or ""
    if target.alias_name is not None:
        alias = stored.get(ALIASES, alias_place(target.key, target.alias_name))
        if alias is None:
            raise alias_not_found(target.arn)
        name = alias.function_version
    version = stored.function(target.key, name)
    if version is None:
        raise function_not_found(target.arn)
    return version
