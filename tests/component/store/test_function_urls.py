"""A request to a function URL brings nothing but the id in it: that is how the configuration is found."""

from lampion.domain.arn import FunctionKey
from lampion.domain.function_url import FunctionUrlConfig
from lampion.store.function_urls import FUNCTION_URLS, function_url_place
from lampion.store.resources import Stored
from tests.component.store.conftest import Stores

KEY = FunctionKey("123456789012", "us-east-1", "f")


def config(url_id: str, alias: str | None) -> FunctionUrlConfig:
    return FunctionUrlConfig(
        key=KEY,
        alias=alias,
        url_id=url_id,
        auth_type="NONE",
        cors={"MaxAge": 1, "AllowHeaders": ["a"]},
        created_epoch_us=1,
        last_modified_epoch_us=2,
    )


async def test_a_function_url_is_found_by_its_id_and_by_its_alias(stores: Stores) -> None:
    def put(stored: Stored) -> None:
        stored.put(FUNCTION_URLS, config("one", None))
        stored.put(FUNCTION_URLS, config("two", "live"))

    def found(stored: Stored) -> list[list[FunctionUrlConfig]]:
        return [
            list(stored.found(FUNCTION_URLS, KEY.account_id, KEY.region, by=url_id, limit=2))
            for url_id in ("one", "two", "three")
        ]

    await stores.resources.change(put)
    assert await stores.resources.read(found) == [[config("one", None)], [config("two", "live")], []]
    of_alias = await stores.resources.read(lambda stored: stored.get(FUNCTION_URLS, function_url_place(KEY, "live")))
    assert of_alias == config("two", "live")
