"""From what a caller wrote (name, ARN, partial ARN, Qualifier) to one function and version. Pure."""

from dataclasses import dataclass

from lampion.domain.arn import LATEST, FunctionKey, parse_function_reference
from lampion.domain.errors import InvalidParameterValueException, ResourceNotFoundException


@dataclass(frozen=True, slots=True)
class Target:
    """A function and the qualifier asked for; None when the caller gave none."""

    key: FunctionKey
    qualifier: str | None

    @property
    def arn(self) -> str:
        """The ARN as the caller qualified it."""
        return self.key.arn if self.qualifier is None else self.key.qualified_arn(self.qualifier)

    @property
    def is_latest(self) -> bool:
        return self.qualifier is None or self.qualifier == LATEST


def resolve(function_name: str, qualifier: str | None, *, account_id: str, region: str) -> Target:
    """The function that `function_name` means to a caller of `account_id` in `region`.

    Raises ResourceNotFoundException for another region's ARN, InvalidParameterValueException when the name's own
    qualifier contradicts `qualifier`.
    """
    reference = parse_function_reference(function_name)
    if reference.region is not None and reference.region != region:
        raise ResourceNotFoundException(
            f"Functions from '{reference.region}' are not reachable in this region ('{region}')"
        )
    if reference.qualifier is not None and qualifier is not None and reference.qualifier != qualifier:
        raise InvalidParameterValueException(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    key = FunctionKey(reference.account_id or account_id, region, reference.name)
    return Target(key, qualifier or reference.qualifier)


def function_not_found(arn: str) -> ResourceNotFoundException:
    """AWS's answer for a function or version that doesn't exist."""
    return ResourceNotFoundException(f"Function not found: {arn}")
