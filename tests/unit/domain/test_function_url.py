"""Function URLs: their ids and addresses, and CORS settings as AWS keeps them."""

import re

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.function_url import (
    URL_ID_RANDOM_BYTES,
    FunctionUrlConfig,
    account_of_url_id,
    normalised_cors,
    url_address,
    url_id_of,
)

KEY = FunctionKey("123456789012", "eu-west-3", "f")
ID = "a2b3" * 8


def config(alias: str | None = None) -> FunctionUrlConfig:
    return FunctionUrlConfig(
        key=KEY, alias=alias, url_id=ID, auth_type="NONE", created_epoch_us=1, last_modified_epoch_us=1
    )


RANDOM = bytes(range(URL_ID_RANDOM_BYTES))


@pytest.mark.parametrize("random", [bytes(URL_ID_RANDOM_BYTES), b"\xff" * URL_ID_RANDOM_BYTES, RANDOM])
@pytest.mark.parametrize("account_id", ["123456789012", "000000000000", "999999999999"])
def test_an_id_can_stand_in_a_host_name_and_tells_its_account(random: bytes, account_id: str) -> None:
    url_id = url_id_of(account_id, random)
    assert re.fullmatch(r"[a-z0-9]{32}", url_id)
    assert account_of_url_id(url_id) == account_id


def test_every_bit_of_the_randomness_shows_in_the_id() -> None:
    flipped = {
        url_id_of(KEY.account_id, (1 << bit).to_bytes(URL_ID_RANDOM_BYTES)) for bit in range(8 * URL_ID_RANDOM_BYTES)
    }
    assert len(flipped) == 8 * URL_ID_RANDOM_BYTES


@pytest.mark.parametrize(
    "text", ["", "a" * 31, "A" * 32, "1" * 32, "a" * 33, "a" * 31 + ".", "7" * 32, "\n" + "a" * 31]
)
def test_what_was_never_an_id_is_no_account_s(text: str) -> None:
    assert account_of_url_id(text) is None


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1:9000", f"http://{ID}.lambda-url.eu-west-3.localhost:9000/"),
        ("127.5.0.1", f"http://{ID}.lambda-url.eu-west-3.localhost/"),
        ("[::1]:9000", f"http://{ID}.lambda-url.eu-west-3.localhost:9000/"),
        ("localhost:9000", f"http://{ID}.lambda-url.eu-west-3.localhost:9000/"),
        ("Lambda.Example.org:80", f"http://{ID}.lambda-url.eu-west-3.lambda.example.org:80/"),
        ("10.0.0.5:9000", f"http://10.0.0.5:9000/_lampion/function-urls/{ID}/"),
        ("[fd00::5]:9000", f"http://[fd00::5]:9000/_lampion/function-urls/{ID}/"),
        ("", f"http://{ID}.lambda-url.eu-west-3.localhost/"),
        ("a:b:c", f"http://{ID}.lambda-url.eu-west-3.localhost/"),
    ],
)
def test_the_address_is_on_the_host_by_which_the_caller_came(host: str, address: str) -> None:
    assert url_address(config(), host) == address
    assert 40 <= len(address) <= 100  # the shape FunctionUrl


def test_the_address_is_of_the_scheme_by_which_the_caller_came() -> None:
    assert url_address(config(), "localhost:9000", "https").startswith(f"https://{ID}.lambda-url.")
    assert url_address(config(), "10.0.0.5", "https") == f"https://10.0.0.5/_lampion/function-urls/{ID}/"


def test_a_url_is_of_the_function_or_of_an_alias() -> None:
    assert (config().arn, config().own_id) == (KEY.arn, "$LATEST")
    assert (config("live").arn, config("live").own_id) == (f"{KEY.arn}:live", "live")


def test_cors_keeps_names_of_headers_in_lower_case_and_all_else_as_sent() -> None:
    sent = {
        "AllowCredentials": False,
        "AllowHeaders": ["Content-Type", "X-Custom", "*"],
        "AllowMethods": ["GET", "pOsT"],
        "AllowOrigins": ["https://Example.org"],
        "ExposeHeaders": ["X-Amzn-RequestId"],
        "MaxAge": 0,
    }
    assert normalised_cors(sent) == {
        **sent,
        "AllowHeaders": ["content-type", "x-custom", "*"],
        "ExposeHeaders": ["x-amzn-requestid"],
    }
    assert normalised_cors({"AllowHeaders": []}) == {"AllowHeaders": []}
    assert normalised_cors({}) is None
