"""Service-linked roles: their names, and who may change them."""

import dataclasses
import json

import pytest

from lampion.domain.iam.documents import trust_of
from lampion.domain.iam.errors import InvalidInputException, UnmodifiableEntityException
from lampion.domain.iam.identity import IdentityKind, check_modifiable, is_service_linked
from lampion.domain.iam.service_roles import service_role_name, service_role_path, service_role_trust
from tests.identities import identity


@pytest.mark.parametrize(
    ("service", "suffix", "name"),
    [
        ("replicator.lambda.amazonaws.com", None, "AWSServiceRoleForLambdaReplicator"),
        ("lambda.amazonaws.com", None, "AWSServiceRoleForLambda"),
        (
            *("lambda.application-autoscaling.amazonaws.com", None),
            "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency",
        ),
        ("autoscaling.amazonaws.com", "mine", "AWSServiceRoleForAutoScaling_mine"),
    ],
)
def test_what_a_services_role_is_called(service: str, suffix: str | None, name: str) -> None:
    assert service_role_name(service, suffix) == name
    assert len(name) <= 64


@pytest.mark.parametrize(
    ("service", "suffix"),
    [
        ("replicator.lambda", None),
        ("replicator.lambda.amazonaws.com.amazonaws.com", None),
        ("s3.amazonaws.com", None),
        ("kafka.amazonaws.com", "mine"),
    ],
)
def test_what_has_none(service: str, suffix: str | None) -> None:
    with pytest.raises(InvalidInputException):
        service_role_name(service, suffix)


def test_the_service_alone_is_trusted() -> None:
    trust = service_role_trust("kafka.amazonaws.com")
    assert trust_of(trust) == json.loads(trust)
    assert json.loads(trust)["Statement"][0]["Principal"] == {"Service": "kafka.amazonaws.com"}


def test_only_roles_under_its_path_are_protected() -> None:
    role = identity(IdentityKind.ROLE, "r")
    linked = dataclasses.replace(role, path=service_role_path("kafka.amazonaws.com"))
    user = dataclasses.replace(linked, kind=IdentityKind.USER)
    assert [is_service_linked(one) for one in (role, linked, user)] == [False, True, False]
    check_modifiable(role)
    with pytest.raises(UnmodifiableEntityException, match="protected role 'r'"):
        check_modifiable(linked)
