"""GetAccountSettings."""

from collections.abc import Mapping
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.operation import RequestContext, operation
from lampion.domain import limits
from lampion.store.concurrency import claims
from lampion.store.resources import Stored

Members = dict[str, Any]


class AccountSettingsApi:
    """An account's limits, and what it uses of them; both from what is stored at the moment of the answer."""

    def __init__(self, rooms: FunctionRooms, *, concurrency_limit: int) -> None:
        self._rooms = rooms
        self._concurrency_limit = concurrency_limit

    @operation("GetAccountSettings")
    async def get_account_settings(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        account_id, region, limit = context.account_id, context.region, self._concurrency_limit

        def read(stored: Stored) -> Mapping[str, Any]:
            use = stored.code_use(account_id, region)
            return {
                "AccountLimit": {
                    "TotalCodeSize": limits.TOTAL_CODE_BYTES,
                    "CodeSizeUnzipped": limits.UNZIPPED_CODE_BYTES,
                    "CodeSizeZipped": limits.ZIPPED_CODE_BYTES,
                    "ConcurrentExecutions": limit,
                    "UnreservedConcurrentExecutions": claims(stored, account_id, region, limit=limit).unreserved,
                },
                "AccountUsage": {"TotalCodeSize": use.code_bytes, "FunctionCount": use.functions},
            }

        return await self._rooms.resources.read(read)
