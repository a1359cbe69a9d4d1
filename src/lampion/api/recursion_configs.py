"""PutFunctionRecursionConfig, GetFunctionRecursionConfig."""

from collections.abc import Mapping
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.operation import RequestContext, operation
from lampion.domain.recursion import RECURSIVE_LOOP_DEFAULT, RecursionConfig
from lampion.invoke.qualifier import function_not_found, resolve
from lampion.store.recursion_configs import RECURSION_CONFIGS
from lampion.store.resources import Place, Stored

Members = dict[str, Any]


class RecursionConfigsApi:
    """What a function's loops lead to. The model takes no qualified names here."""

    def __init__(self, rooms: FunctionRooms) -> None:
        self._rooms = rooms

    @operation("PutFunctionRecursionConfig")
    async def put_function_recursion_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = resolve(members["FunctionName"], None, context, "PutFunctionRecursionConfig")
        config = RecursionConfig(target.key, members["RecursiveLoop"])

        def put(stored: Stored) -> None:
            if stored.function(target.key) is None:
                raise function_not_found(target.key.arn)
            stored.put(RECURSION_CONFIGS, config)

        await self._rooms.resources.change(put)
        return {"RecursiveLoop": config.recursive_loop}

    @operation("GetFunctionRecursionConfig")
    async def get_function_recursion_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = resolve(members["FunctionName"], None, context, "GetFunctionRecursionConfig")
        await self._rooms.lookup.find_unqualified(target)
        config = await self._rooms.resources.get(RECURSION_CONFIGS, Place.of_function(target.key))
        return {"RecursiveLoop": RECURSIVE_LOOP_DEFAULT if config is None else config.recursive_loop}
