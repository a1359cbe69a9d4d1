"""What may be asked for when subscribing, and what is answered to who asks for something else."""

import json
from typing import Any

import pytest

from lampion.function_telemetry.subscription import (
    LOGS,
    TELEMETRY,
    Api,
    Buffering,
    Destination,
    InvalidSubscription,
    Protocol,
    Stream,
    parse_subscription,
)

TO = {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080"}
ASKED: dict[str, Any] = {"schemaVersion": "2022-12-13", "types": ["platform"], "destination": TO}


def parsed(api: Api = TELEMETRY, **changes: Any) -> Any:
    request = {name: value for name, value in {**ASKED, **changes}.items() if value is not ...}
    return parse_subscription(api, json.dumps(request).encode())


def problem(api: Api = TELEMETRY, **changes: Any) -> str:
    with pytest.raises(InvalidSubscription) as caught:
        parsed(api, **changes)
    return str(caught.value)


def test_what_isnt_named_is_as_the_guide_says() -> None:
    found = parsed()
    assert found.buffering == Buffering(max_items=10_000, max_bytes=262_144, timeout_ms=1_000)
    assert found.destination == Destination(Protocol.HTTP, 8080, "/", "sandbox.localdomain:8080", "POST")
    assert (found.schema, found.streams) == ("2022-12-13", (Stream.PLATFORM,))


def test_everything_can_be_named() -> None:
    found = parsed(
        LOGS,
        schemaVersion="2021-03-18",
        types=["extension", "function", "platform", "function"],
        buffering={"maxItems": 1000, "maxBytes": 1_048_576, "timeoutMs": 25, "other": 1},
        destination={"protocol": "HTTP", "URI": "http://sandbox:1/a%20b?c=d#e", "method": "PUT", "encoding": "JSON"},
        unknown={},
    )
    assert found.streams == (Stream.EXTENSION, Stream.FUNCTION, Stream.PLATFORM)
    assert found.buffering == Buffering(1000, 1_048_576, 25)
    assert found.destination == Destination(Protocol.HTTP, 1, "/a%20b?c=d", "sandbox:1", "PUT")


@pytest.mark.parametrize("schema", ["2022-07-01", "2022-12-13", "2025-01-29"])
def test_the_schemas_of_the_telemetry_api(schema: str) -> None:
    assert parsed(schemaVersion=schema).schema == schema


@pytest.mark.parametrize(
    ("asked", "schema"), [(..., "2020-08-15"), ("", "2020-08-15"), ("2020-08-15", "2020-08-15"), *[("2021-03-18",) * 2]]
)
def test_the_schemas_of_the_logs_api(asked: Any, schema: str) -> None:
    assert parsed(LOGS, schemaVersion=asked).schema == schema


@pytest.mark.parametrize(
    "destination",
    [
        {"protocol": "TCP", "port": 4243},
        {"protocol": "TCP", "URI": "tcp://sandbox.localdomain:4243"},
        {"protocol": "TCP", "URI": "tcp://sandbox:4243", "method": "", "encoding": ""},
    ],
)
def test_lines_over_tcp_are_sent_to_a_port(destination: Any) -> None:
    assert parsed(destination=destination).destination == Destination(Protocol.TCP, 4243)


RANGE = "should be an integer between"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schemaVersion": ...}, "schemaVersion is not provided"),
        ({"schemaVersion": 2022}, "schemaVersion should be one of 2022-07-01, 2022-12-13, 2025-01-29"),
        ({"schemaVersion": "2020-08-15"}, "schemaVersion should be one of 2022-07-01, 2022-12-13, 2025-01-29"),
        ({"types": ...}, "types should not be empty"),
        ({"types": []}, "types should not be empty"),
        ({"types": "platform"}, "types should not be empty"),
        ({"types": ["platform", "logs"]}, "types should only have platform, function, extension"),
        ({"types": [["platform"]]}, "types should only have platform, function, extension"),
        ({"buffering": []}, "buffering should be an object"),
        ({"buffering": {"maxItems": 999}}, f"maxItems {RANGE} 1000 and 10000"),
        ({"buffering": {"maxItems": 10001}}, f"maxItems {RANGE} 1000 and 10000"),
        ({"buffering": {"maxBytes": 262143}}, f"maxBytes {RANGE} 262144 and 1048576"),
        ({"buffering": {"maxBytes": 1048577}}, f"maxBytes {RANGE} 262144 and 1048576"),
        ({"buffering": {"timeoutMs": 24}}, f"timeoutMs {RANGE} 25 and 30000"),
        ({"buffering": {"timeoutMs": 30001}}, f"timeoutMs {RANGE} 25 and 30000"),
        ({"buffering": {"timeoutMs": 25.5}}, f"timeoutMs {RANGE} 25 and 30000"),
        ({"buffering": {"timeoutMs": True}}, f"timeoutMs {RANGE} 25 and 30000"),
        ({"destination": ...}, "destination is not provided"),
        ({"destination": "http://sandbox:1"}, "destination should be an object"),
        ({"destination": {"URI": TO["URI"]}}, "protocol is not provided"),
        ({"destination": {**TO, "protocol": "http"}}, "protocol should be HTTP or TCP"),
        ({"destination": {**TO, "method": "GET"}}, "method should be POST or PUT"),
        ({"destination": {**TO, "encoding": "XML"}}, "encoding should be JSON"),
        ({"destination": {"protocol": "HTTP"}}, "URI is not provided"),
        ({"destination": {"protocol": "HTTP", "port": 80}}, "URI is not provided"),
        ({"destination": {"protocol": "TCP"}}, "port is not provided"),
        ({"destination": {"protocol": "TCP", "port": "80"}}, f"port {RANGE} 1 and 65535"),
        ({"destination": {"protocol": "TCP", "port": 0}}, f"port {RANGE} 1 and 65535"),
        ({"destination": {"protocol": "TCP", "port": 65536}}, f"port {RANGE} 1 and 65535"),
        ({"destination": {"protocol": "TCP", "port": 9001}}, "port 9001 is reserved"),
        ({"destination": {"protocol": "TCP", "URI": "http://sandbox:80"}}, "URI scheme should be tcp"),
    ],
)
def test_what_is_wrong_is_named(changes: Any, message: str) -> None:
    assert problem(**changes) == message


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://sandbox.localdomain", "URI port is not provided"),
        ("http://sandbox.localdomain:", "URI port is not provided"),
        ("http://sandbox.localdomain:0", f"URI port {RANGE} 1 and 65535"),
        ("http://sandbox.localdomain:9001/x", "URI port 9001 is reserved"),
        ("http://sandbox.localdomain:65536", "URI is not valid"),
        ("http://sandbox.localdomain:x", "URI is not valid"),
        ("http://[::1", "URI is not valid"),
        ("http://sandbox.localdomain:80/a b", "URI is not valid"),
        ("http://sandbox.localdomain:80/\r\nX: y", "URI is not valid"),
        ("http://sandbox.localdomain:80/ä", "URI is not valid"),
        ("https://sandbox.localdomain:80", "URI scheme should be http"),
        ("sandbox.localdomain:80", "URI scheme should be http; URI host should be sandbox.localdomain; "),
        ("http://localhost:80", "URI host should be sandbox.localdomain"),
        ("http://169.254.169.254:80", "URI host should be sandbox.localdomain"),
        ("http://u:p@sandbox.localdomain:80", "URI host should be sandbox.localdomain"),
        ("http://sandbox.localdomain.evil.example:80", "URI host should be sandbox.localdomain"),
    ],
)
def test_only_listeners_inside_the_sandbox_are_told(uri: str, message: str) -> None:
    assert problem(destination={"protocol": "HTTP", "URI": uri}).startswith(message)


def test_all_that_is_wrong_is_named_at_once_as_in_the_guides_example() -> None:
    destination = {"protocol": "HTTP", "URI": "http://sandbox.localdomain"}
    assert problem(types=[], destination=destination) == "URI port is not provided; types should not be empty"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"nul"])
def test_a_body_that_isnt_json(body: bytes) -> None:
    with pytest.raises(InvalidSubscription, match="is not valid JSON"):
        parse_subscription(LOGS, body)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"OK"', b"1"])
def test_a_body_that_is_no_object(body: bytes) -> None:
    with pytest.raises(InvalidSubscription, match="is not a JSON object"):
        parse_subscription(LOGS, body)
