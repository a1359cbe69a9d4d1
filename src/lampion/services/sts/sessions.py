"""Temporary keys: AssumeRole, GetSessionToken; and whose a key is: GetAccessKeyInfo."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lampion.aws.errors import AccessDeniedException, ValidationException
from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.documents import trust_of
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.identity.callers import CallerKind
from lampion.identity.denials import denial
from lampion.identity.evaluation import PolicyType, Request, Verdict, evaluate
from lampion.identity.key_ids import account_of
from lampion.identity.request_facts import Asker, Known
from lampion.identity.statements import read_policy
from lampion.services.sts.credentials import Members, StsRooms
from lampion.services.sts.session_policies import refuse_mfa, session_policies
from lampion.services.sts.session_tags import facts_of_session, packed_percent, session_tags
from lampion.store.iam import IDENTITIES, identity_place

_CHAINED_SECONDS_MAX: Final = 3600
_ASSUMED_SECONDS: Final = 3600
_SESSION_SECONDS: Final = 43_200
_ROOT_SECONDS: Final = 3600
_KEYS: Final = {
    "ExternalId": "sts:externalid",
    "RoleSessionName": "sts:rolesessionname",
    "SourceIdentity": "sts:sourceidentity",
}


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
        refuse_mfa(members)
        source = _source_identity(asker, members)
        tags = session_tags(members, asker.actor.handed_on)
        wanted = ["sts:AssumeRole"]
        wanted += ["sts:TagSession"] if tags.all else []
        wanted += ["sts:SetSourceIdentity"] if source else []
        asked = {**members, "SourceIdentity": source} if source else members
        role = self._trusting(await self._role(members["RoleArn"]), asker, asked, wanted)
        seconds = _checked_seconds(members.get("DurationSeconds", _ASSUMED_SECONDS), role, asker)
        policies, name = session_policies(members), members["RoleSessionName"]
        percent = packed_percent(policies, tags)
        standing = self._rooms.standing(
            role.account_id,
            role.unique_id,
            seconds,
            role_arn=role.arn,
            session_name=name,
            policies=policies.documents,
            policy_arns=policies.arns,
            tags=dict(tags.all),
            transitive_tag_keys=tags.transitive,
            source_identity=source,
        )
        return {
            "Credentials": self._rooms.issued(standing, members),
            "AssumedRoleUser": {
                "AssumedRoleId": f"{role.unique_id}:{name}",
                "Arn": f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/{name}",
            },
            "PackedPolicySize": percent,
            "SourceIdentity": source or None,
        }

    @operation("GetSessionToken")
    async def get_session_token(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """For users and the root. Raises AccessDeniedException for those who have a session."""
        asker: Asker = context.asker
        if asker.has_session:
            raise AccessDeniedException("Cannot call GetSessionToken with session credentials")
        refuse_mfa(members)
        if asker.actor.caller.kind is CallerKind.ROOT:
            seconds = min(members.get("DurationSeconds", _ROOT_SECONDS), _ROOT_SECONDS)
            standing = self._rooms.standing(context.account_id, "", seconds)
        else:
            seconds = members.get("DurationSeconds", _SESSION_SECONDS)
            standing = self._rooms.standing(context.account_id, asker.actor.user_id, seconds)
        return {"Credentials": self._rooms.issued(standing, members)}

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

    def _trusting(self, role: Identity | None, asker: Asker, members: Members, wanted: Sequence[str]) -> Identity:
        """The role, if it trusts who asks with all that is `wanted` of it. A role that isn't there looks as one that
        doesn't. Raises AccessDeniedException.
        """
        arn, actor = members["RoleArn"], asker.actor
        given = {key: (members[member],) for member, key in _KEYS.items() if member in members}
        known = Known(asker.asking, {**actor.known, **given, **facts_of_session(members)})
        trust = () if role is None else (read_policy(trust_of(role.trust)),)
        policies = replace(actor.policies(trust, arn.split(":")[4]), must_be_named=True)
        for action in wanted:
            request = Request(caller=actor.caller, action=action, resource=arn, known=known)
            verdict = evaluate(request, policies)
            if role is None and verdict.is_allowed:
                verdict = Verdict(is_allowed=False, by=PolicyType.RESOURCE)
            if not verdict.is_allowed:
                told = denial(request, verdict)
                raise AccessDeniedException(told.partition(" because no resource-based policy")[0])
        assert role is not None
        return role


def _source_identity(asker: Asker, members: Members) -> str:
    """Once a session has one, sessions that are begun with it have it as well. "" for none.

    Raises AccessDeniedException where it is to be changed.
    """
    present = (asker.actor.known.get("aws:sourceidentity") or ("",))[0]
    given: str = members.get("SourceIdentity", present)
    if present and given != present:
        told = f"User: {asker.actor.caller.arn} is not authorized to perform: sts:SetSourceIdentity on resource: "
        raise AccessDeniedException(told + members["RoleArn"])
    return given


def _checked_seconds(seconds: int, role: Identity, asker: Asker) -> int:
    """Raises ValidationException."""
    if asker.actor.caller.kind is CallerKind.ROLE_SESSION and seconds > _CHAINED_SECONDS_MAX:
        raise ValidationException(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if seconds > role.max_session_seconds:
        raise ValidationException("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return seconds
