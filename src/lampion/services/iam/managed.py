"""Which managed policy an ARN means, to an account, and who has it."""

from collections.abc import Iterator

from lampion.domain.iam.errors import UnmodifiableEntityException
from lampion.domain.iam.identity import Identity
from lampion.domain.iam.managed_policy import AWS, ManagedPolicy, not_attachable, policy_missing
from lampion.identity.aws_managed_policies import aws_managed_policies
from lampion.store.iam import GLOBAL, IDENTITIES, MANAGED_POLICIES, policy_place
from lampion.store.resources import Stored, every


def find_policy(stored: Stored, account_id: str, arn: str) -> ManagedPolicy | None:
    """One of AWS's, or of the account's own."""
    owner, _, name = arn.removeprefix("arn:aws:iam::").partition(":policy/")
    if owner == AWS:
        return aws_managed_policies().get(arn)
    if owner != account_id:
        return None
    policy = stored.get(MANAGED_POLICIES, policy_place(account_id, name.rpartition("/")[2]))
    return policy if policy is not None and policy.arn == arn else None


def policy_of(stored: Stored, account_id: str, arn: str) -> ManagedPolicy:
    """Raises NoSuchEntityException."""
    policy = find_policy(stored, account_id, arn)
    if policy is None:
        raise policy_missing(arn)
    return policy


def own_policy_of(stored: Stored, account_id: str, arn: str) -> ManagedPolicy:
    """One that may be changed. Raises NoSuchEntityException, UnmodifiableEntityException for AWS's."""
    policy = policy_of(stored, account_id, arn)
    if policy.account_id == AWS:
        raise UnmodifiableEntityException(f"Policy {arn} is owned by AWS and cannot be modified.")
    return policy


def check_attachable(stored: Stored, account_id: str, arn: str) -> None:
    """Raises NoSuchEntityException for what is no policy of the account's or AWS's."""
    if find_policy(stored, account_id, arn) is None:
        raise not_attachable(arn)


def identities_of(stored: Stored, account_id: str) -> list[Identity]:
    """All of an account."""
    return list(every(stored, IDENTITIES, account_id, GLOBAL))


def having(identities: list[Identity], arn: str, *, as_boundary: bool = False) -> Iterator[Identity]:
    """Those of them that have the policy."""
    return (one for one in identities if (one.boundary == arn if as_boundary else arn in one.attached))
