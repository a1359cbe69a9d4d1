"""Where services are reached, as told by tables of the configuration file and by AWS's variables."""

from pathlib import Path
from typing import Any

import pytest

from lampion.config import Settings, settings_from
from lampion.config.problem import SettingError
from lampion.endpoints.services import Credentials, Service, ServiceEndpoint

KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "env-secret"}
OF_ENVIRONMENT = Credentials("AKID", "env-secret")


def settings(tmp_path: Path, toml: str = "", environ: dict[str, str] | None = None, **given: str) -> Settings:
    path = tmp_path / "lampion.toml"
    path.write_text(toml, encoding="utf-8")
    return settings_from({"config": str(path), **given}, environ or {})


def reached(configured: Settings) -> dict[str, str]:
    of_service = configured.endpoints.of_service
    return {service.identifier: str(endpoint.address) for service, endpoint in of_service.items()}


def test_without_any_nothing_is_reached(tmp_path: Path) -> None:
    assert settings_from({}, {}).endpoints.of_service == {}
    assert reached(settings(tmp_path, environ=KEYS)) == {}


def test_a_variable_of_the_service_wins_over_the_common_one_and_a_table_over_both(tmp_path: Path) -> None:
    variables = {
        "AWS_ENDPOINT_URL": "http://common:1/",
        "AWS_ENDPOINT_URL_SQS": "http://queues:2",
        "AWS_ENDPOINT_URL_EVENTBRIDGE": "http://buses:3",
        "AWS_ENDPOINT_URL_LAMBDA": "not looked at",
    }
    table = '[services.eventbridge]\nendpoint = "https://table.example/base/"\n[services.s3]\nregion = "eu-west-1"\n'
    configured = settings(tmp_path, table, variables)
    assert reached(configured) == {
        "sqs": "http://queues:2",
        "sns": "http://common:1",
        "eventbridge": "https://table.example/base",
        "s3": "http://common:1",
        "dynamodb": "http://common:1",
        "kms": "http://common:1",
    }
    assert {service.identifier: endpoint.region for service, endpoint in configured.endpoints.of_service.items()} == {
        "sqs": None,
        "sns": None,
        "eventbridge": None,
        "s3": "eu-west-1",
        "dynamodb": None,
        "kms": None,
    }


def test_aws_itself(tmp_path: Path) -> None:
    table = '[services.sqs]\nendpoint = "aws"\n'
    configured = settings(tmp_path, table, {"AWS_ENDPOINT_URL": "http://common:1", **KEYS})
    assert configured.endpoints.of_service[Service.SQS] == ServiceEndpoint(None, OF_ENVIRONMENT)


def test_keys_of_a_table_or_of_the_server(tmp_path: Path) -> None:
    table = (
        '[services.sqs]\nendpoint = "http://a"\naccess_key_id = "T"\nsecret_access_key = "table-secret"\n'
        '[services.sns]\nendpoint = "http://a"\naccess_key_id = "T"\nsecret_access_key = "S"\nsession_token = "token"\n'
        '[services.s3]\nendpoint = "http://a"\n'
    )
    of_service = settings(tmp_path, table, {**KEYS, "AWS_SESSION_TOKEN": "env-token"}).endpoints.of_service
    assert of_service[Service.SQS].credentials == Credentials("T", "table-secret"), "no token of another key"
    assert of_service[Service.SNS].credentials == Credentials("T", "S", "token")
    assert of_service[Service.S3].credentials == Credentials("AKID", "env-secret", "env-token")
    for incomplete in ({}, {"AWS_ACCESS_KEY_ID": "AKID"}, {"AWS_SECRET_ACCESS_KEY": "x"}):
        assert settings(tmp_path, table, incomplete).endpoints.of_service[Service.S3].credentials is None


@pytest.mark.parametrize(
    ("listen", "url", "is_own"),
    [
        ("127.0.0.1:9000", "http://127.0.0.1:9000", True),
        ("127.0.0.1:9000", "http://localhost:9000/", True),
        ("[::1]:9000", "http://[::1]:9000", True),
        ("0.0.0.0:9000", "http://0.0.0.0:9000", True),
        ("127.0.0.1:9000", "http://127.0.0.1:4566", False),
        ("127.0.0.1:9000", "http://queue.example:9000", False),
        ("10.0.0.5:9000", "http://127.0.0.1:9000", False),
    ],
)
def test_the_server_is_no_such_service_itself(tmp_path: Path, listen: str, url: str, is_own: bool) -> None:
    """After eval "$(lampion env)" the common variable names the server itself."""
    configured = settings(tmp_path, environ={"AWS_ENDPOINT_URL": url}, listen=listen)
    assert (configured.endpoints.of_service == {}) is is_own
    meant = settings(tmp_path, environ={"AWS_ENDPOINT_URL_SQS": url}, listen=listen)
    assert list(reached(meant)) == ["sqs"]


def test_certificates_to_trust(tmp_path: Path) -> None:
    assert settings(tmp_path, environ={"AWS_CA_BUNDLE": "/etc/ca.pem"}).endpoints.ca_bundle == Path("/etc/ca.pem")
    assert settings(tmp_path, environ={"AWS_CA_BUNDLE": ""}).endpoints.ca_bundle is None


@pytest.mark.parametrize(
    ("toml", "environ", "source", "problem"),
    [
        ("[services.sqss]\n", {}, "[services.sqss]", "is no service"),
        ("services.sqs = 1\n", {}, "[services.sqs]", "is no table"),
        ('[services.sqs]\nurl = "http://a"', {}, "[services.sqs]", "is not known there"),
        ("[services.sqs]\nendpoint = 1", {}, "[services.sqs]", "is not a text"),
        ('[services.sqs]\nregion = ""', {}, "[services.sqs]", "is not a text"),
        ('[services.sqs]\nregion = "eu\\n"', {}, "[services.sqs]", "is not a text"),
        ('[services.sqs]\nendpoint = "localhost:1"', {}, "[services.sqs] endpoint", "is not a URL"),
        ('[services.sqs]\nendpoint = "http://u:hidden@a"', {}, "[services.sqs] endpoint", "has a user name"),
        ('[services.sqs]\naccess_key_id = "a"', {}, "[services.sqs]", "has half of a key"),
        ('[services.sqs]\nsession_token = "a"', KEYS, "[services.sqs]", "has half of a key"),
        ("", {"AWS_ENDPOINT_URL_S3": "nonsense"}, "AWS_ENDPOINT_URL_S3", "is not a URL"),
        ("", {"AWS_ENDPOINT_URL_S3": "aws"}, "AWS_ENDPOINT_URL_S3", "is not a URL"),
        ("", {"AWS_ENDPOINT_URL": "ftp://a"}, "AWS_ENDPOINT_URL", "is not a URL"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, toml: str, environ: dict[str, str], source: str, problem: str) -> None:
    with pytest.raises(SettingError) as refusal:
        settings(tmp_path, toml, environ)
    assert refusal.value.source == source
    assert refusal.value.problem.startswith(problem)
    assert refusal.value.fix.endswith(".")
    assert "hidden" not in str(refusal.value)


def test_secrets_never_show(tmp_path: Path) -> None:
    secret = '[services.sqs]\nendpoint = "http://a"\naccess_key_id = "T"\nsecret_access_key = "the-secret"\n'
    assert "the-secret" not in repr(settings(tmp_path, secret))
    wrong: Any = secret + 'session_token = "the-token"\nregion = 1\n'
    with pytest.raises(SettingError) as refusal:
        settings(tmp_path, wrong)
    assert "the-secret" not in str(refusal.value)
    with pytest.raises(SettingError) as refusal:
        settings(tmp_path, '[services.sqs]\nsecret_access_key = "the-secret\\n"\n')
    assert "the-secret" not in str(refusal.value)
