"""Where scaling configurations are kept: with their function, by version."""

from typing import Final

from lampion.domain.arn import FunctionKey
from lampion.domain.scaling_config import ScalingConfig
from lampion.store.resources import Kind, Place


def scaling_config_place(key: FunctionKey, qualifier: str) -> Place:
    return Place.of_function(key, qualifier)


SCALING_CONFIGS: Final = Kind(
    "scaling_config", ScalingConfig, place=lambda one: scaling_config_place(one.key, one.qualifier)
)
