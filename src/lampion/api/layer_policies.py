"""AddLayerVersionPermission, RemoveLayerVersionPermission, GetLayerVersionPolicy."""

from collections.abc import Mapping
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.api.layer_reach import own_layer
from lampion.aws.operation import RequestContext, operation
from lampion.domain.errors import ResourceNotFoundException
from lampion.domain.layer import LayerKey, check_number
from lampion.domain.layer_policy import (
    LayerPolicy,
    LayerStatement,
    check_layer_revision,
    policy_text,
    with_statement,
    without_statement,
)
from lampion.domain.policy_grammar import document_text
from lampion.store.layers import LAYER_POLICIES, LAYER_VERSIONS, layer_version_place
from lampion.store.resources import Stored

Members = dict[str, Any]


class LayerPoliciesApi:
    """Who beside its own account may use a layer version."""

    def __init__(self, rooms: FunctionRooms) -> None:
        self._rooms = rooms

    @operation("AddLayerVersionPermission")
    async def add_layer_version_permission(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key, number = _version(context, members, "AddLayerVersionPermission")
        revision_id = self._rooms.rng.uuid4()
        statement = LayerStatement(
            sid=members["StatementId"],
            action=members["Action"],
            principal=members["Principal"],
            organization_id=members.get("OrganizationId"),
        )

        def add(stored: Stored) -> None:
            present = _policy(stored, key, number)
            check_layer_revision(present, members.get("RevisionId"))
            before = present or LayerPolicy(key=key, number=number, revision_id="")
            stored.put(LAYER_POLICIES, with_statement(before, statement, revision_id=revision_id))

        await self._rooms.resources.change(add)
        return {"Statement": document_text(statement.document(key.version_arn(number))), "RevisionId": revision_id}

    @operation("RemoveLayerVersionPermission")
    async def remove_layer_version_permission(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key, number = _version(context, members, "RemoveLayerVersionPermission")
        revision_id = self._rooms.rng.uuid4()

        def remove(stored: Stored) -> None:
            present = _policy(stored, key, number)
            check_layer_revision(present, members.get("RevisionId"))
            stored.put(LAYER_POLICIES, without_statement(present, members["StatementId"], revision_id=revision_id))

        await self._rooms.resources.change(remove)
        return {}

    @operation("GetLayerVersionPolicy")
    async def get_layer_version_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key, number = _version(context, members, "GetLayerVersionPolicy")
        policy = await self._rooms.resources.read(lambda stored: _policy(stored, key, number))
        text = policy_text(policy)
        assert policy is not None
        return {"Policy": text, "RevisionId": policy.revision_id}


def _version(context: RequestContext, members: Members, action: str) -> tuple[LayerKey, int]:
    number = members["VersionNumber"]
    check_number(number)
    return own_layer(members["LayerName"], context, action, number), number


def _policy(stored: Stored, key: LayerKey, number: int) -> LayerPolicy | None:
    """Raises ResourceNotFoundException for a version that doesn't exist."""
    place = layer_version_place(key, number)
    if stored.get(LAYER_VERSIONS, place) is None:
        raise ResourceNotFoundException(f"Layer version {key.version_arn(number)} does not exist.")
    return stored.get(LAYER_POLICIES, place)
