"""Where a function's recursion configuration is kept: with it."""

from typing import Final

from lampion.domain.recursion import RecursionConfig
from lampion.store.resources import Kind, Place

RECURSION_CONFIGS: Final = Kind("recursion-config", RecursionConfig, place=lambda config: Place.of_function(config.key))
