"""GetFederationToken: keys that a user, or the root, makes for somebody whom IAM doesn't know."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from lampion.aws.errors import AccessDeniedException
from lampion.aws.operation import RequestContext, operation
from lampion.identity.callers import CallerKind, federated_user_arn
from lampion.services.sts.credentials import Members, StsRooms
from lampion.services.sts.session_policies import session_policies
from lampion.services.sts.session_tags import packed_percent, session_tags

if TYPE_CHECKING:
    from lampion.identity.request_facts import Asker

_SECONDS: Final = 43_200
_ROOT_SECONDS_MAX: Final = 3600


class FederationApi:
    """Gives them out. They may what both he may who makes them and the policies that he gives with them."""

    def __init__(self, rooms: StsRooms) -> None:
        self._rooms = rooms

    @operation("GetFederationToken")
    async def get_federation_token(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Without any policy they may only what policies of resources grant to the federated user by his name.

        Raises AccessDeniedException for those who have a session, MalformedPolicyDocumentException.
        """
        asker: Asker = context.asker
        if asker.has_session:
            raise AccessDeniedException("Cannot call GetFederationToken with session credentials")
        policies, tags = session_policies(members), session_tags(members, {})
        percent = packed_percent(policies, tags)
        is_root = asker.actor.caller.kind is CallerKind.ROOT
        seconds = members.get("DurationSeconds", _SECONDS)
        standing = self._rooms.standing(
            context.account_id,
            "" if is_root else asker.actor.user_id,
            min(seconds, _ROOT_SECONDS_MAX) if is_root else seconds,
            federated_name=members["Name"],
            policies=policies.documents,
            policy_arns=policies.arns,
            tags=dict(tags.all),
        )
        return {
            "Credentials": self._rooms.issued(standing, members),
            "FederatedUser": {
                "FederatedUserId": f"{context.account_id}:{members['Name']}",
                "Arn": federated_user_arn(context.account_id, members["Name"]),
            },
            "PackedPolicySize": percent,
        }
