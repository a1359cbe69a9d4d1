"""Account aliases: CreateAccountAlias, ListAccountAliases, DeleteAccountAlias."""

from collections.abc import Mapping
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.account_alias import AccountAlias, alias_missing, alias_taken
from lampion.services.iam.rooms import IamRooms, Members
from lampion.store.iam import ACCOUNT_ALIASES, account_alias_place
from lampion.store.resources import Stored


class AccountAliasesApi:
    """Of the caller's account."""

    def __init__(self, rooms: IamRooms) -> None:
        self._rooms = rooms

    @operation("CreateAccountAlias")
    async def create_account_alias(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """In place of the one there may be. Raises EntityAlreadyExistsException for one that an account has."""
        alias = AccountAlias(account_id=context.account_id, name=members["AccountAlias"])

        def create(stored: Stored) -> None:
            for account_id, _ in stored.accounts_with(ACCOUNT_ALIASES):
                present = stored.get(ACCOUNT_ALIASES, account_alias_place(account_id))
                if present is not None and present.name == alias.name:
                    raise alias_taken(alias.name)
            stored.put(ACCOUNT_ALIASES, alias)

        await self._rooms.resources.change(create)
        return {}

    @operation("ListAccountAliases")
    async def list_account_aliases(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        place = account_alias_place(context.account_id)
        alias = await self._rooms.resources.read(lambda stored: stored.get(ACCOUNT_ALIASES, place))
        return {"AccountAliases": [] if alias is None else [alias.name], "IsTruncated": False}

    @operation("DeleteAccountAlias")
    async def delete_account_alias(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Raises NoSuchEntityException."""
        place = account_alias_place(context.account_id)

        def delete(stored: Stored) -> None:
            present = stored.get(ACCOUNT_ALIASES, place)
            if present is None or present.name != members["AccountAlias"]:
                raise alias_missing(members["AccountAlias"])
            stored.delete(ACCOUNT_ALIASES, place)

        await self._rooms.resources.change(delete)
        return {}
