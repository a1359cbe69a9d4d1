"""AddPermission, RemovePermission, GetPolicy; GetResourcePolicy, PutResourcePolicy, DeleteResourcePolicy.

Both trios work on one and the same policy: the first statement by statement, the second as a whole.
"""

from collections.abc import Mapping
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.operation import RequestContext, operation
from lampion.domain.arn import LATEST
from lampion.domain.errors import resource_missing
from lampion.domain.policy import (
    Permission,
    Policy,
    added,
    check_attachable,
    check_policy,
    check_policy_revision,
    no_policy,
    removed,
)
from lampion.domain.policy_document import parse_document, policy_missing
from lampion.domain.policy_grammar import document_text
from lampion.invoke.qualifier import Target, alias_not_found, function_not_found, resolve
from lampion.store.aliases import ALIASES, alias_place
from lampion.store.policies import POLICIES, policy_place
from lampion.store.resources import Stored

Members = dict[str, Any]


class PoliciesApi:
    """What others may do with functions, versions and aliases."""

    def __init__(self, rooms: FunctionRooms) -> None:
        self._rooms = rooms

    @operation("AddPermission")
    async def add_permission(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = resolve(members["FunctionName"], members.get("Qualifier"), context, "AddPermission")
        permission, revision_id = _permission(members), self._rooms.rng.uuid4()

        def add(stored: Stored) -> Policy:
            own_revision = _own_revision(stored, target)
            before = _policy(stored, target) or no_policy(target.key, target.qualifier)
            _check_revision(members, before, own_revision)
            after = added(before, permission, revision_id=revision_id)
            stored.put(POLICIES, after)
            return after

        check_attachable(target.qualifier)
        return {"Statement": document_text((await self._rooms.resources.change(add)).statements[-1])}

    @operation("RemovePermission")
    async def remove_permission(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = resolve(members["FunctionName"], members.get("Qualifier"), context, "RemovePermission")
        revision_id = self._rooms.rng.uuid4()

        def remove(stored: Stored) -> None:
            own_revision = _own_revision(stored, target)
            policy = _policy(stored, target)
            if policy is None:
                raise policy_missing()
            _check_revision(members, policy, own_revision)
            after = removed(policy, members["StatementId"], revision_id=revision_id)
            if after is None:
                stored.delete(POLICIES, policy_place(target.key, target.qualifier))
            else:
                stored.put(POLICIES, after)

        await self._rooms.resources.change(remove)
        return {}

    @operation("GetPolicy")
    async def get_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._shown(resolve(members["FunctionName"], members.get("Qualifier"), context, "GetPolicy"))

    @operation("GetResourcePolicy")
    async def get_resource_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._shown(_named(members, context, "GetResourcePolicy"))

    @operation("PutResourcePolicy")
    async def put_resource_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _named(members, context, "PutResourcePolicy")
        check_attachable(target.qualifier)
        policy = Policy(
            key=target.key,
            qualifier=target.qualifier,
            document=parse_document(members["Policy"], target.arn),
            revision_id=self._rooms.rng.uuid4(),
        )
        check_policy(policy)

        def put(stored: Stored) -> None:
            _own_revision(stored, target)
            before = _policy(stored, target) or no_policy(target.key, target.qualifier)
            check_policy_revision(members.get("RevisionId"), before.revision_id, shown_by="GetResourcePolicy")
            stored.put(POLICIES, policy)

        await self._rooms.resources.change(put)
        return _members(policy)

    @operation("DeleteResourcePolicy")
    async def delete_resource_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _named(members, context, "DeleteResourcePolicy")

        def delete(stored: Stored) -> None:
            policy = _existing(stored, target)
            check_policy_revision(members.get("RevisionId"), policy.revision_id, shown_by="GetResourcePolicy")
            stored.delete(POLICIES, policy_place(target.key, target.qualifier))

        await self._rooms.resources.change(delete)
        return {}

    async def _shown(self, target: Target) -> Mapping[str, Any]:
        return _members(await self._rooms.resources.read(lambda stored: _existing(stored, target)))


def _members(policy: Policy) -> Mapping[str, Any]:
    return {"Policy": policy.text, "RevisionId": policy.revision_id}


def _permission(members: Members) -> Permission:
    return Permission(
        statement_id=members["StatementId"],
        action=members["Action"],
        principal=members["Principal"],
        source_arn=members.get("SourceArn"),
        source_account=members.get("SourceAccount"),
        principal_org_id=members.get("PrincipalOrgID"),
        event_source_token=members.get("EventSourceToken"),
        function_url_auth_type=members.get("FunctionUrlAuthType"),
        invoked_via_function_url=members.get("InvokedViaFunctionUrl"),
    )


def _named(members: Members, context: RequestContext, action: str) -> Target:
    """The function, version or alias of a `ResourceArn`. Runtimes, which the shape allows too, are none of ours."""
    arn = members["ResourceArn"]
    if ":runtime/" in arn:
        raise resource_missing()
    return resolve(arn, None, context, action)


def _policy(stored: Stored, target: Target) -> Policy | None:
    return stored.get(POLICIES, policy_place(target.key, target.qualifier))


def _existing(stored: Stored, target: Target) -> Policy:
    """Raises ResourceNotFoundException when `target` has no policy, or there is no `target`."""
    _own_revision(stored, target)
    policy = _policy(stored, target)
    if policy is None:
        raise resource_missing()
    return policy


def _own_revision(stored: Stored, target: Target) -> str:
    """The RevisionId of the function, version or alias itself. Raises ResourceNotFoundException."""
    if target.alias_name is not None:
        alias = stored.get(ALIASES, alias_place(target.key, target.alias_name))
        if alias is None:
            raise alias_not_found(target.arn)
        return alias.revision_id
    function = stored.function(target.key, target.qualifier or LATEST)
    if function is None:
        raise function_not_found(target.arn)
    return function.revision_id


def _check_revision(members: Members, policy: Policy, own_revision: str) -> None:
    """AWS takes the policy's RevisionId, and that of what it is attached to: there is no other before the first one."""
    check_policy_revision(members.get("RevisionId"), policy.revision_id, own_revision, shown_by="GetPolicy")
