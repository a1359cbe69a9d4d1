"""Who asks."""

from collections.abc import Mapping
from typing import Any

from lampion.aws.operation import RequestContext, operation


class CallersApi:
    """Needs nothing but the request."""

    @operation("GetCallerIdentity")
    async def get_caller_identity(self, context: RequestContext, members: dict[str, Any]) -> Mapping[str, Any]:
        """Nobody needs a permission for it, and nobody can be denied it."""
        return {"UserId": context.user_id, "Account": context.account_id, "Arn": context.caller_arn}
