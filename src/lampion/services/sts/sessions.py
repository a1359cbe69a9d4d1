"""Temporary keys: AssumeRole, GetSessionToken; and whose a key is: GetAccessKeyInfo."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from lampion.aws.errors import AccessDeniedException, ValidationException
from lampion.aws.operation import RequestContext, operation
from lampion.clock.clock import Clock
from lampion.domain.iam.documents import permissions_of, trust_of
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.identity.callers import CallerKind
from lampion.identity.denials import denial
from lampion.identity.evaluation import Request, evaluate
from lampion.identity.key_ids import account_of
from lampion.identity.request_facts import Asker, Known
from lampion.identity.statements import read_policy
from lampion.identity.temporary_keys import Standing, TemporaryKey, TemporaryKeys
from lampion.store.cached_resources import CachedResources
from lampion.store.iam import IDENTITIES, identity_place

Members = dict[str, Any]

_CHAINED_SECONDS_MAX: Final = 3600
_ASSUMED_SECONDS: Final = 3600
_SESSION_SECONDS: Final = 43_200
_ROOT_SECONDS: Final = 3600
_KEYS: Final = {
    "ExternalId": "sts:externalid",
    "RoleSessionName": "sts:rolesessionname",
    "SourceIdentity": "sts:sourceidentity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StsRooms:
    """What temporary keys are made of."""

    resources: CachedResources
    temporary: TemporaryKeys
    clock: Clock


class SessionsApi:
    """Gives them out."""

    def __init__(self, rooms: StsRooms) -> None:
        self._rooms = rooms

    @operation("AssumeRole")
    async def assume_role(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """For whom the role's trust policy lets; of its account, who is let by his own policies where it leaves it to
        the account. Raises AccessDeniedException.
        """
        asker: Asker = context.asker
        if asker.actor.caller.kind is CallerKind.ROOT:
            raise AccessDeniedException("Roles may not be assumed by root accounts.")
        role = self._trusting(await self._role(members["RoleArn"]), asker, members)
        seconds = _checked_seconds(members.get("DurationSeconds", _ASSUMED_SECONDS), role, asker)
        standing = _of_role(self._standing(role.account_id, role.unique_id, seconds), role, members)
        key = self._rooms.temporary.issue(standing)
        name = members["RoleSessionName"]
        return {
            "Credentials": _shape(key, standing),
            "AssumedRoleUser": {
                "AssumedRoleId": f"{role.unique_id}:{name}",
                "Arn": f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/{name}",
            },
            "SourceIdentity": members.get("SourceIdentity"),
        }

    @operation("GetSessionToken")
    async def get_session_token(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """For users and the root. Raises AccessDeniedException for those who have a session."""
        asker: Asker = context.asker
        if asker.has_session:
            raise AccessDeniedException("Cannot call GetSessionToken with session credentials")
        if asker.actor.caller.kind is CallerKind.ROOT:
            seconds = min(members.get("DurationSeconds", _ROOT_SECONDS), _ROOT_SECONDS)
            standing = self._standing(context.account_id, "", seconds)
        else:
            seconds = members.get("DurationSeconds", _SESSION_SECONDS)
            standing = self._standing(context.account_id, asker.actor.user_id, seconds)
        return {"Credentials": _shape(self._rooms.temporary.issue(standing), standing)}

    @operation("GetAccessKeyInfo")
    async def get_access_key_info(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """By the id alone, whether or not there is such a key."""
        account_id = account_of(members["AccessKeyId"])
        if account_id is None:
            raise ValidationException(f"Invalid access key: {members['AccessKeyId']}")
        return {"Account": account_id}

    async def _role(self, arn: str) -> Identity | None:
        """Raises ValidationException for what is no role's ARN."""
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
            raise ValidationException(f"{arn} is invalid")
        name = parts[5].rpartition("/")[2]
        role = await self._rooms.resources.get(IDENTITIES, identity_place(parts[4], IdentityKind.ROLE, name))
        return role if role is not None and role.arn == arn else None

    def _trusting(self, role: Identity | None, asker: Asker, members: Members) -> Identity:
        """The role, if it trusts who asks. A role that isn't there looks as one that doesn't.

        Raises AccessDeniedException.
        """
        arn, actor = members["RoleArn"], asker.actor
        facts = {key: (members[member],) for member, key in _KEYS.items() if member in members}
        known = Known(asker.asking, actor.known, facts)
        request = Request(caller=actor.caller, action="sts:AssumeRole", resource=arn, known=known)
        trust = () if role is None else (read_policy(trust_of(role.trust)),)
        owner = arn.split(":")[4]
        verdict = evaluate(request, replace(actor.policies(trust, owner), must_be_named=True))
        if role is not None and verdict.is_allowed:
            return role
        told = denial(request, verdict)
        raise AccessDeniedException(told.partition(" because no resource-based policy")[0])

    def _standing(self, account_id: str, unique_id: str, seconds: int) -> Standing:
        now = int(self._rooms.clock.now())
        return Standing(
            account_id=account_id,
            unique_id=unique_id,
            issued_epoch_seconds=now,
            expires_epoch_seconds=now + seconds,
        )


def _of_role(standing: Standing, role: Identity, members: Members) -> Standing:
    """Raises MalformedPolicyDocumentException."""
    if "Policy" in members:
        permissions_of(members["Policy"])
    return msgspec.structs.replace(
        standing,
        role_arn=role.arn,
        session_name=members["RoleSessionName"],
        policies=(members["Policy"],) if "Policy" in members else (),
        policy_arns=tuple(one["arn"] for one in members.get("PolicyArns", ())),
        tags={tag["Key"]: tag["Value"] for tag in members.get("Tags", ())},
        source_identity=members.get("SourceIdentity", ""),
    )


def _checked_seconds(seconds: int, role: Identity, asker: Asker) -> int:
    """Raises ValidationException."""
    if asker.has_session and seconds > _CHAINED_SECONDS_MAX:
        raise ValidationException(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if seconds > role.max_session_seconds:
        raise ValidationException("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return seconds


def _shape(key: TemporaryKey, standing: Standing) -> Mapping[str, Any]:
    return {
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "SessionToken": key.session_token,
        "Expiration": standing.expires_epoch_seconds,
    }
