"""GetAccountSummary: how many of what an account has, and may have."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.access_key import KEYS_MAX
from lampion.domain.iam.documents import MANAGED_BYTES, TRUST_BYTES
from lampion.domain.iam.identity import ATTACHED_MAX, GROUPS_MAX, INLINE_BYTES, IdentityKind
from lampion.domain.iam.managed_policy import VERSIONS_MAX
from lampion.services.iam.managed import identities_of
from lampion.services.iam.rooms import IamRooms, Members
from lampion.store.iam import GLOBAL, MANAGED_POLICIES, POLICY_OWNER
from lampion.store.resources import Stored, every

_KEPT_HERE: Final = {
    "AccessKeysPerUserQuota": KEYS_MAX,
    "AssumeRolePolicySizeQuota": TRUST_BYTES,
    "GroupsPerUserQuota": GROUPS_MAX,
    "PolicySizeQuota": MANAGED_BYTES,
    "VersionsPerPolicyQuota": VERSIONS_MAX,
    **{f"{kind.capitalize()}PolicySizeQuota": size for kind, size in INLINE_BYTES.items()},
    **{f"AttachedPoliciesPer{kind.capitalize()}Quota": most for kind, most in ATTACHED_MAX.items()},
}
_AS_ON_AWS: Final = {
    "GroupsQuota": 300,
    "InstanceProfilesQuota": 1000,
    "PoliciesQuota": 1500,
    "PolicyVersionsInUseQuota": 10_000,
    "RolesQuota": 1000,
    "ServerCertificatesQuota": 20,
    "SigningCertificatesPerUserQuota": 2,
    "UsersQuota": 5000,
}
"""Told, as clients look for them; nobody is stopped by them here."""
_NOT_HERE: Final = dict.fromkeys(
    (
        *("AccountMFAEnabled", "AccountPasswordPresent", "AccountSigningCertificatesPresent", "InstanceProfiles"),
        *("MFADevices", "MFADevicesInUse", "Providers", "ServerCertificates"),
    ),
    0,
)


class AccountSummaryApi:
    """Counts when it is asked."""

    def __init__(self, rooms: IamRooms) -> None:
        self._rooms = rooms

    @operation("GetAccountSummary")
    async def get_account_summary(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def count(stored: Stored) -> Mapping[str, int]:
            kinds = Counter(one.kind for one in identities_of(stored, context.account_id))
            policies = every(stored, MANAGED_POLICIES, context.account_id, GLOBAL, owner=POLICY_OWNER)
            return {
                **{f"{kind.capitalize()}s": kinds[kind] for kind in IdentityKind},
                "Policies": len(policies),
                "PolicyVersionsInUse": sum(len(one.versions) for one in policies),
            }

        counted = await self._rooms.resources.read(count)
        always = {"AccountAccessKeysPresent": 1, "GlobalEndpointTokenVersion": 1}
        return {"SummaryMap": {**_KEPT_HERE, **_AS_ON_AWS, **_NOT_HERE, **always, **counted}}
