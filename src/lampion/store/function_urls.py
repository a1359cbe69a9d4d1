"""Where function URLs are kept: with their function, by alias; found by the id in the URL."""

from typing import Final

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function_url import FunctionUrlConfig
from lampion.store.resources import Kind, Place


def function_url_place(key: FunctionKey, alias: str | None) -> Place:
    return Place.of_function(key, alias or LATEST)


FUNCTION_URLS: Final = Kind(
    "function-url",
    FunctionUrlConfig,
    place=lambda config: function_url_place(config.key, config.alias),
    found_by=lambda config: config.url_id,
)
