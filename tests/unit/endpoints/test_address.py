"""URLs as users write them, and AWS's own addresses."""

import json
from pathlib import Path

import botocore
import pytest

from lampion.endpoints.address import Origin, aws_address, parse_address


@pytest.mark.parametrize(
    ("url", "origin", "path", "host_header"),
    [
        ("http://localhost:4566", Origin("localhost", 4566, False), "", "localhost:4566"),
        ("http://queue.example/", Origin("queue.example", 80, False), "", "queue.example"),
        ("https://queue.example:443/base/", Origin("queue.example", 443, True), "/base", "queue.example"),
        ("https://queue.example:80", Origin("queue.example", 80, True), "", "queue.example:80"),
        ("http://[::1]:9324/a%20b/é".replace("é", "%C3%A9"), Origin("::1", 9324, False), "/a%20b/%C3%A9", "[::1]:9324"),
        ("HTTP://Queue.Example:1", Origin("queue.example", 1, False), "", "queue.example:1"),
    ],
)
def test_urls(url: str, origin: Origin, path: str, host_header: str) -> None:
    address = parse_address(url)
    assert (address.origin, address.path, address.host_header) == (origin, path, host_header)
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:4566",
        "ftp://host",
        "http://",
        "http://host:port",
        "http://host:70000",
        "http://user:secret@host",
        "http://host/?query",
        "http://host/#part",
        "http://ho st",
        "http://host/\r\nX: 1",
        "http://höst",
        "http://[::1",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|has|names) "):
        parse_address(url)


def test_awss_addresses_are_those_of_its_endpoint_data() -> None:
    """For every partition that botocore knows: host names are service.region.suffix."""
    data = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text(encoding="utf-8"))
    assert len(data["partitions"]) >= 8
    for partition in data["partitions"]:
        outputs = partition["outputs"]
        for region in partition["regions"]:
            if region.endswith("-global"):
                continue
            address = aws_address("sqs", outputs["name"], region)
            assert str(address) == f"https://sqs.{region}.{outputs['dnsSuffix']}"


@pytest.mark.parametrize(("partition", "region"), [("gcp", "us-east-1"), ("aws", "evil.example/"), ("aws", "")])
def test_where_aws_is_not(partition: str, region: str) -> None:
    with pytest.raises(ValueError, match="AWS has no"):
        aws_address("sqs", partition, region)
