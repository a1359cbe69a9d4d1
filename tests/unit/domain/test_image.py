"""How images are named."""

import pytest

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.image import (
    ImageReference,
    Registry,
    is_repository_name,
    is_tag,
    parse_image_uri,
    registry_of_host,
)

DIGEST = "sha256:" + "a" * 64
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (f"{ECR}/app:v1", ImageReference(ECR, "app", "v1", None)),
        (f"{ECR}/team/the-app_2/x.y:V1_.-", ImageReference(ECR, "team/the-app_2/x.y", "V1_.-", None)),
        (f"{ECR}/app", ImageReference(ECR, "app", "latest", None)),
        (f"{ECR}/app@{DIGEST}", ImageReference(ECR, "app", None, DIGEST)),
        ("localhost:9000/app:v1", ImageReference("localhost:9000", "app", "v1", None)),
        ("[::1]:9000/app:v1", ImageReference("[::1]:9000", "app", "v1", None)),
    ],
)
def test_an_image_uri_is_a_host_a_repository_and_a_tag_or_digest(uri: str, expected: ImageReference) -> None:
    assert parse_image_uri(uri) == expected


@pytest.mark.parametrize(
    "uri",
    [
        *("", "app", "app:v1", "/app", "host/", "host/:v1", "host/app:", "host/app@", "host//app", "host/app/"),
        *(
            "host/App",
            "host/-app",
            "host/app-",
            "host/a..b",
            "host/a___b",
            "host/a/../b",
            "host/app:-v",
            "host/app:a b",
        ),
        *(
            "host/app:a b",
            "ho st/app",
            "-host/app",
            "host:x/app",
            "host/" + "a" * 257,
            "host/app:" + "t" * 129,
            "https://host/app",
        ),
        *(f"host/app:v1@{DIGEST}", "host/app@sha256:abc", f"host/app@{DIGEST.upper()}", "host/app@sha512:" + "a" * 128),
    ],
)
def test_what_is_no_image_uri_is_refused_with_awss_words(uri: str) -> None:
    with pytest.raises(InvalidParameterValueException) as raised:
        parse_image_uri(uri)
    assert raised.value.message == f"Source image {uri} is not valid. Provide a valid source image."


def test_names_are_those_of_the_specification_and_of_ecr() -> None:
    assert all(map(is_repository_name, ("a", "a/b", "a-b--c", "a.b", "a_b__c", "0")))
    assert not any(map(is_repository_name, ("", "A", "a_", "_a", "a.-b", "a/", "/a", "a___b", "a b")))
    assert all(map(is_tag, ("a", "_", "A.b-c_d", "x" * 128)))
    assert not any(map(is_tag, ("", ".a", "-a", "a/b", "x" * 129, "ä")))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (ECR, Registry("123456789012", "eu-west-1")),
        (ECR + ".cn", Registry("123456789012", "eu-west-1")),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", Registry("123456789012", "us-east-1")),
        ("123456789012.dkr.ecr.us-east-1.localhost:9000", Registry("123456789012", "us-east-1")),
        ("12345678901.dkr.ecr.us-east-1.amazonaws.com", None),
        ("123456789012.dkr.ecr.us-east-1.example.com", None),
        ("public.ecr.aws", None),
    ],
)
def test_awss_host_names_tell_account_and_region(host: str, expected: Registry | None) -> None:
    assert registry_of_host(host) == expected
