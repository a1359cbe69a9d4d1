"""The bounds between which a version on a capacity provider scales."""

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.scaling_config import ScalingConfig, check_bounds


def bounds(least: int | None, most: int | None) -> ScalingConfig:
    key = FunctionKey("123456789012", "us-east-1", "f")
    return ScalingConfig(key=key, qualifier="1", min_environments=least, max_environments=most)


@pytest.mark.parametrize(("least", "most"), [(None, None), (5, None), (None, 0), (0, 0), (3, 3), (3, 100)])
def test_a_minimum_up_to_the_maximum(least: int | None, most: int | None) -> None:
    check_bounds(bounds(least, most))


def test_no_minimum_above_the_maximum() -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_bounds(bounds(4, 3))
    assert caught.value.message == ("MinExecutionEnvironments (4) cannot be greater than MaxExecutionEnvironments (3).")
