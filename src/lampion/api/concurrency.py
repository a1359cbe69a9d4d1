"""PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency."""

from collections.abc import Mapping
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.api.function_shape import concurrency_members
from lampion.aws.operation import RequestContext, operation
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.concurrency import ReservedConcurrency, check_reservation
from lampion.invoke.qualifier import Target, check_function_only, function_not_found, resolve
from lampion.store.concurrency import RESERVED, claims, reserved_place
from lampion.store.resources import Stored

Members = dict[str, Any]


class ConcurrencyApi:
    """What a function reserves of its account's concurrency."""

    def __init__(self, rooms: FunctionRooms, *, limit: int) -> None:
        self._rooms = rooms
        self._limit = limit

    @operation("PutFunctionConcurrency")
    async def put_function_concurrency(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = _target(context, members, "PutFunctionConcurrency").key
        reserved = ReservedConcurrency(key=key, executions=members["ReservedConcurrentExecutions"])

        def put(stored: Stored) -> None:
            _check_exists(stored, key)
            check_reservation(
                claims(stored, key.account_id, key.region, limit=self._limit), key.name, reserved.executions
            )
            stored.put(RESERVED, reserved)

        await self._rooms.resources.change(put)
        return concurrency_members(reserved)

    @operation("GetFunctionConcurrency")
    async def get_function_concurrency(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """AWS answers nothing for a function that reserves nothing."""
        target = _target(context, members, "GetFunctionConcurrency")
        key = (await self._rooms.lookup.find_unqualified(target)).key
        reserved = await self._rooms.resources.get(RESERVED, reserved_place(key))
        return {} if reserved is None else concurrency_members(reserved)

    @operation("DeleteFunctionConcurrency")
    async def delete_function_concurrency(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = _target(context, members, "DeleteFunctionConcurrency").key

        def delete(stored: Stored) -> None:
            _check_exists(stored, key)
            stored.delete(RESERVED, reserved_place(key))

        await self._rooms.resources.change(delete)
        return {}


def _target(context: RequestContext, members: Members, action: str) -> Target:
    target = resolve(members["FunctionName"], None, context, action)
    check_function_only(target)
    return target


def _check_exists(stored: Stored, key: FunctionKey) -> None:
    """Raises ResourceNotFoundException, which names $LATEST here."""
    if stored.function(key) is None:
        raise function_not_found(key.qualified_arn(LATEST))
