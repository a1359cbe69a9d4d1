"""From what a caller wrote (name, ARN, partial ARN, Qualifier) to one function and version. Pure."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

from lampion.aws.errors import AccessDeniedException
from lampion.aws.operation import RequestContext
from lampion.domain.arn import LATEST, FunctionKey, FunctionReference, parse_function_reference
from lampion.domain.errors import InvalidParameterValueException, ResourceNotFoundException


@dataclass(frozen=True)
class Target:
    """A function and the qualifier asked for; None when the caller gave none."""

    key: FunctionKey
    qualifier: str | None

    @cached_property
    def arn(self) -> str:
        """The ARN as the caller qualified it."""
        return self.key.arn if self.qualifier is None else self.key.qualified_arn(self.qualifier)

    @cached_property
    def alias_name(self) -> str | None:
        """The qualifier when it can only be an alias."""
        qualifier = self.qualifier
        return None if qualifier is None or qualifier.isdecimal() or qualifier.startswith("$") else qualifier

    @property
    def is_latest(self) -> bool:
        return self.qualifier is None or self.qualifier == LATEST


def resolve(function_name: str, qualifier: str | None, context: RequestContext, action: str) -> Target:
    """The function that `function_name` means to the caller who asks for `action` (IAM's word: `InvokeFunction`).

    Raises ResourceNotFoundException for another region's ARN, AccessDeniedException for another account's,
    InvalidParameterValueException when the name's own qualifier contradicts `qualifier`.
    """
    reference, target = _read(function_name, qualifier, context.account_id, context.region)
    check_region(reference.region, context)
    if reference.qualifier is not None and qualifier is not None and reference.qualifier != qualifier:
        raise InvalidParameterValueException(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    check_account(target.key.account_id, target.arn, context, action)
    return target


@lru_cache(maxsize=4096)
def _read(function_name: str, qualifier: str | None, account_id: str, region: str) -> tuple[FunctionReference, Target]:
    """What a caller wrote, and what it means in its account and region."""
    reference = parse_function_reference(function_name)
    key = FunctionKey(reference.account_id or account_id, region, reference.name)
    return reference, Target(key, qualifier or reference.qualifier)


def check_region(region: str | None, context: RequestContext) -> None:
    """Raises ResourceNotFoundException for another region than the one that is asked."""
    if region is not None and region != context.region:
        raise ResourceNotFoundException(
            f"Functions from '{region}' are not reachable in this region ('{context.region}')"
        )


def check_account(account_id: str, arn: str, context: RequestContext, action: str) -> None:
    """Raises AccessDeniedException for what another account has, at `arn`, unless that lets the caller use it."""
    if account_id not in (context.account_id, context.owner):
        raise not_allowed(arn, context, action)


def not_allowed(arn: str, context: RequestContext, action: str) -> AccessDeniedException:
    """AWS's answer to who may not do that with what another account has."""
    return AccessDeniedException(
        f"User: arn:aws:iam::{context.account_id}:root is not authorized to perform: lambda:{action} "
        f"on resource: {arn} because no resource-based policy allows the lambda:{action} action"
    )


def check_unqualified(target: Target) -> None:
    """For what is done to a function as a whole. Raises InvalidParameterValueException for a version or an alias."""
    if not target.is_latest:
        raise _functions_only()


def check_function_only(target: Target) -> None:
    """As `check_unqualified`, for operations that refuse even the qualifier $LATEST."""
    if target.qualifier is not None:
        raise _functions_only()


def _functions_only() -> InvalidParameterValueException:
    return InvalidParameterValueException(
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
        "Please specify either a function name or an unqualified function ARN."
    )


def function_not_found(arn: str) -> ResourceNotFoundException:
    """AWS's answer for a function or version that doesn't exist."""
    return ResourceNotFoundException(f"Function not found: {arn}")


def alias_not_found(arn: str) -> ResourceNotFoundException:
    """AWS's answer to who asks for an alias as such."""
    return ResourceNotFoundException(f"Cannot find alias arn: {arn}")
