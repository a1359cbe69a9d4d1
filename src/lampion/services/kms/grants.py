"""Grants: CreateGrant, ListGrants, ListRetirableGrants, RevokeGrant, RetireGrant. They count from the next call on."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lampion.aws.errors import ValidationException
from lampion.aws.operation import RequestContext, operation
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.kms.errors import InvalidGrantTokenException
from lampion.domain.kms.grant import (
    CONSTRAINT_PAIRS_MAX,
    CONSTRAINT_VALUE_CHARACTERS_MAX,
    OPERATIONS,
    Grant,
    check_principal,
    grant_missing,
)
from lampion.domain.kms.key import Key, check_not_pending, check_usable, key_missing
from lampion.identity.callers import root_arn
from lampion.identity.key_access import Asked, facts_of_grant
from lampion.services.kms.rooms import KmsRooms, Members, finish_dry_run, refuse
from lampion.services.kms.shapes import grant_shape
from lampion.store.kms import GRANTS, grant_place, grants_of
from lampion.store.resources import Stored

_ID_BYTES: Final = 32
_SEALED_AS: Final = "grant"
_SERVICES: Final = ("GranteeServicePrincipal", "RetiringServicePrincipal")


class GrantsApi:
    """On keys of the caller's account, and on others by ARN."""

    def __init__(self, rooms: KmsRooms) -> None:
        self._rooms = rooms

    @operation("CreateGrant")
    async def create_grant(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """A named one that is asked for again is the one that is there."""
        refuse(members, "CreateGrant", *_SERVICES)
        refuse(members.get("Constraints", {}), "CreateGrant", "SourceArn")
        _check(members)
        draft = self._draft(context, members)
        asked = Asked(grant=draft, facts=facts_of_grant(draft))
        key = await self._rooms.find_by_id(context, "CreateGrant", members["KeyId"], asked)
        check_usable(key)
        finish_dry_run(members)
        grant = await self._rooms.resources.change(lambda stored: _kept(stored, key, draft))
        return {"GrantToken": self._token(grant), "GrantId": grant.grant_id}

    @operation("ListGrants")
    async def list_grants(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        refuse(members, "ListGrants", "GranteeServicePrincipal")
        asked = Asked(facts={"kms:grantisforawsresource": ("false",)})
        key = await self._rooms.find_by_id(context, "ListGrants", members["KeyId"], asked)
        check_not_pending(key)
        found = await self._rooms.resources.read(lambda stored: grants_of(stored, key))
        wanted = {"GrantId": members.get("GrantId"), "GranteePrincipal": members.get("GranteePrincipal")}
        fitting = [
            grant
            for grant in found
            if wanted["GrantId"] in (None, grant.grant_id) and wanted["GranteePrincipal"] in (None, grant.grantee)
        ]
        shown, more = self._rooms.page("ListGrants", members, fitting, lambda grant: grant.grant_id)
        return {"Grants": [grant_shape(grant, key.arn) for grant in shown], **more}

    @operation("ListRetirableGrants")
    async def list_retirable_grants(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Of all accounts: whose keys they are on doesn't matter. The principal is of the caller's account."""
        refuse(members, "ListRetirableGrants", "RetiringServicePrincipal")
        self._rooms.access.check_own(context.asker, "ListRetirableGrants", "*", {})
        retiring = members.get("RetiringPrincipal", "")
        check_principal(retiring)
        own = retiring.split(":")[4] == context.account_id
        found = await self._rooms.resources.read(lambda stored: _retirable(stored, retiring, context.region))
        in_order = sorted(found if own else (), key=lambda grant: grant.grant_id)
        shown, more = self._rooms.page("ListRetirableGrants", members, in_order, lambda grant: grant.grant_id)
        return {"Grants": [grant_shape(grant, grant.key_arn) for grant in shown], **more}

    @operation("RevokeGrant")
    async def revoke_grant(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        asked = Asked(facts={"kms:grantisforawsresource": ("false",)})
        key = await self._rooms.find_by_id(context, "RevokeGrant", members["KeyId"], asked)
        check_not_pending(key)
        await self._end(key, members)
        return {}

    @operation("RetireGrant")
    async def retire_grant(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """For whom the grant itself names. Raises AccessDeniedException."""
        key, grant_id = await self._named(context, members)
        found = await self._rooms.resources.read(
            lambda stored: stored.get(GRANTS, grant_place(key.account_id, key.region, key.key_id, grant_id))
        )
        await self._rooms.access.check_retiring(context.asker, key, found)
        check_not_pending(key)
        await self._end(key, {**members, "GrantId": grant_id})
        return {}

    def _draft(self, context: RequestContext, members: Members) -> Grant:
        """Of no key yet."""
        constraints = members.get("Constraints", {})
        return Grant(
            account_id="",
            region=context.region,
            key_id="",
            grant_id=self._rooms.rng.token(_ID_BYTES).hex(),
            created_epoch_seconds=self._rooms.clock.now(),
            grantee=members["GranteePrincipal"],
            operations=tuple(dict.fromkeys(members["Operations"])),
            issuer=root_arn(context.account_id),
            retiring=members.get("RetiringPrincipal"),
            name=members.get("Name"),
            equals=constraints.get("EncryptionContextEquals", {}),
            subset=constraints.get("EncryptionContextSubset", {}),
        )

    async def _named(self, context: RequestContext, members: Members) -> tuple[Key, str]:
        """The key, and the id of the grant. Raises InvalidGrantTokenException, ValidationException, ..."""
        if "GrantToken" in members:
            account_id, region, key_id, grant_id = self._opened(members["GrantToken"])
            key = await self._rooms.keys.get(account_id, region, key_id)
            if key is None:
                raise grant_missing(grant_id)
            return key, grant_id
        if "KeyId" not in members or "GrantId" not in members:
            raise ValidationException("A grant token, or a key ARN together with a grant id, is needed.")
        reference = self._rooms.reference(context, members["KeyId"])
        found = await self._rooms.keys.find(reference, is_own=False)
        if found is None:
            asked = Asked(named=reference)
            self._rooms.access.check_absent(context.asker, "RetireGrant", reference.arn, reference.account_id, asked)
            raise key_missing(reference.arn)
        return found, members["GrantId"]

    async def _end(self, key: Key, members: Members) -> None:
        """Raises NotFoundException."""
        grant_id = members["GrantId"]
        place = grant_place(key.account_id, key.region, key.key_id, grant_id)

        def end(stored: Stored) -> None:
            if stored.get(GRANTS, place) is None:
                raise grant_missing(grant_id)
            finish_dry_run(members)
            stored.delete(GRANTS, place)

        await self._rooms.resources.change(end)

    def _token(self, grant: Grant) -> str:
        where = (grant.account_id, grant.region, grant.key_id, grant.grant_id)
        return self._rooms.markers.seal(_SEALED_AS, " ".join(where))

    def _opened(self, token: str) -> Sequence[str]:
        try:
            return self._rooms.markers.open(_SEALED_AS, token).split(" ")
        except InvalidParameterValueException:
            raise InvalidGrantTokenException("The grant token is invalid") from None


def _check(members: Members) -> None:
    """Raises ValidationException, InvalidArnException."""
    if "GranteePrincipal" not in members:
        raise ValidationException("GranteePrincipal is required.")
    if not members["Operations"]:
        raise ValidationException("Operations must not be empty.")
    for name in ("GranteePrincipal", "RetiringPrincipal"):
        if name in members:
            check_principal(members[name])
    strange = [one for one in members["Operations"] if one not in OPERATIONS]
    if strange:
        raise ValidationException(f"Grants on keys for ENCRYPT_DECRYPT don't permit {', '.join(strange)}.")
    constraints = [pairs for pairs in members.get("Constraints", {}).values() if pairs]
    if len(constraints) > 1:
        raise ValidationException("Only one of EncryptionContextEquals and EncryptionContextSubset can be given.")
    for pairs in constraints:
        is_long = any(len(value) > CONSTRAINT_VALUE_CHARACTERS_MAX for value in pairs.values())
        if len(pairs) > CONSTRAINT_PAIRS_MAX or is_long:
            raise ValidationException(
                f"Grant constraints have at most {CONSTRAINT_PAIRS_MAX} pairs, of values of at most "
                f"{CONSTRAINT_VALUE_CHARACTERS_MAX} characters."
            )


def _kept(stored: Stored, key: Key, draft: Grant) -> Grant:
    """`draft` on `key`, or the one that it asks for again. Raises NotFoundException."""
    for present in grants_of(stored, key):
        if present.is_same_as(draft):
            return present
    grant = draft.on(key)
    stored.put(GRANTS, grant)
    return grant


def _retirable(stored: Stored, retiring: str, region: str) -> list[Grant]:
    return [
        grant
        for account_id, of_region in stored.accounts_with(GRANTS)
        if of_region == region
        for grant in stored.found(GRANTS, account_id, region, by=retiring, limit=2**31)
    ]
