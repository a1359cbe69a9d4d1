"""Which service is reached where: configured, AWS itself, or nowhere, which is said in a user's words."""

import pytest

from lampion.endpoints.address import parse_address
from lampion.endpoints.errors import ServiceUnreachable
from lampion.endpoints.services import Credentials, Endpoints, Service, ServiceEndpoint

KEY = Credentials("AKID", "the-secret", "the-token")
HERE = parse_address("http://127.0.0.1:4566")


def endpoints(endpoint: ServiceEndpoint) -> Endpoints:
    return Endpoints({Service.SQS: endpoint})


def test_a_configured_address_serves_every_region_unless_one_is_configured() -> None:
    reach = endpoints(ServiceEndpoint(HERE, KEY)).reach(Service.SQS, partition="aws", region="eu-west-1")
    assert (reach.address, reach.region, reach.credentials, reach.is_aws) == (HERE, "eu-west-1", KEY, False)
    fixed = endpoints(ServiceEndpoint(HERE, KEY, "us-east-1"))
    assert fixed.reach(Service.SQS, partition="aws", region="eu-west-1").region == "us-east-1"


def test_aws_is_reached_in_the_region_of_what_is_named() -> None:
    reach = endpoints(ServiceEndpoint(None, KEY)).reach(Service.SQS, partition="aws-cn", region="cn-north-1")
    assert (str(reach.address), reach.is_aws) == ("https://sqs.cn-north-1.amazonaws.com.cn", True)


def test_hosts_and_signatures_of_eventbridge_say_events() -> None:
    aws = Endpoints({Service.EVENTBRIDGE: ServiceEndpoint(None, KEY)})
    reach = aws.reach(Service.EVENTBRIDGE, partition="aws", region="us-east-1")
    assert str(reach.address) == "https://events.us-east-1.amazonaws.com"
    assert (reach.service.identifier, reach.service.signing_name) == ("eventbridge", "events")


@pytest.mark.parametrize(
    ("configured", "words"),
    [
        (Endpoints(), r"sqs has no endpoint: set AWS_ENDPOINT_URL_SQS, or endpoint in \[services.sqs\]"),
        (endpoints(ServiceEndpoint(HERE, None)), "sqs has no credentials: set AWS_ACCESS_KEY_ID"),
        (endpoints(ServiceEndpoint(None, KEY)), "sqs can't be reached: AWS has no region 'mars'"),
    ],
)
def test_what_is_missing_is_named(configured: Endpoints, words: str) -> None:
    with pytest.raises(ServiceUnreachable, match=words):
        configured.reach(Service.SQS, partition="aws", region="mars")


def test_secrets_never_show() -> None:
    shown = repr(endpoints(ServiceEndpoint(HERE, KEY)))
    assert "the-secret" not in shown
    assert "the-token" not in shown
    assert "AKID" in shown
