"""How many execution environments a version on a capacity provider may have. Pure. Shape: FunctionScalingConfig."""

from dataclasses import dataclass

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingConfig:
    """Bounds that the caller asked for; None where it leaves them to Lambda."""

    key: FunctionKey
    qualifier: str
    min_environments: int | None = None
    max_environments: int | None = None


def check_bounds(config: ScalingConfig) -> None:
    """Raises InvalidParameterValueException when the minimum is above the maximum."""
    least, most = config.min_environments, config.max_environments
    if least is not None and most is not None and least > most:
        raise InvalidParameterValueException(
            f"MinExecutionEnvironments ({least}) cannot be greater than MaxExecutionEnvironments ({most})."
        )
