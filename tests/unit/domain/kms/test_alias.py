"""How requests name keys, and which names aliases may have."""

import pytest

from lampion.domain.errors import ApiError
from lampion.domain.kms.alias import KeyReference, check_not_reserved, check_room_for_alias, name_fault, read_reference
from lampion.domain.kms.errors import InvalidAliasNameException, LimitExceededException

OWN, OTHER, REGION = "123456789012", "210987654321", "us-east-1"
KEY = "0f0f0f0f-1234-4678-9abc-def012345678"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (KEY, KeyReference(OWN, REGION, key_id=KEY)),
        (KEY.upper(), KeyReference(OWN, REGION, key_id=KEY)),
        ("alias/a/b", KeyReference(OWN, REGION, alias="alias/a/b")),
        (f"arn:aws:kms:{REGION}:{OTHER}:key/{KEY}", KeyReference(OTHER, REGION, key_id=KEY)),
        (f"arn:aws:kms:{REGION}:{OTHER}:alias/a", KeyReference(OTHER, REGION, alias="alias/a")),
    ],
)
def test_names_of_keys(text: str, expected: KeyReference) -> None:
    assert read_reference(text, OWN, REGION) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x", "NotFoundException"),
        (f"{KEY}0", "NotFoundException"),
        (f"key/{KEY}", "NotFoundException"),
        (f"arn:aws:kms:eu-west-1:{OWN}:key/{KEY}", "NotFoundException"),
        (f"arn:aws:kms:{REGION}:{OWN}:key/x", "NotFoundException"),
        (f"arn:aws:kms:{REGION}:1:key/{KEY}", "InvalidArnException"),
        (f"arn:aws:kms:{REGION}:{OWN}:{KEY}", "InvalidArnException"),
        (f"arn:aws:sqs:{REGION}:{OWN}:key/{KEY}", "InvalidArnException"),
        ("arn:", "InvalidArnException"),
    ],
)
def test_what_names_no_key(text: str, code: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_reference(text, OWN, REGION)
    assert caught.value.code == code


def test_arns_are_as_they_were_named() -> None:
    for text in (f"arn:aws:kms:{REGION}:{OTHER}:key/{KEY}", f"arn:aws:kms:{REGION}:{OTHER}:alias/a"):
        assert read_reference(text, OWN, REGION).arn == text


@pytest.mark.parametrize("name", ["alias/a", "alias/a/b_c-D9", "alias/aws"])
def test_names_that_aliases_may_have(name: str) -> None:
    assert name_fault(name) is None
    check_not_reserved(name)


@pytest.mark.parametrize("name", ["a", "alias", "alias/", "Alias/a", "alias/a:b", "alias/a b", "alias/ä", "alias/a\n"])
def test_names_that_aliases_may_not_have(name: str) -> None:
    assert name_fault(name) is not None


def test_awss_own_names_and_too_many() -> None:
    with pytest.raises(InvalidAliasNameException):
        check_not_reserved("alias/aws/lambda")
    check_room_for_alias(49)
    with pytest.raises(LimitExceededException):
        check_room_for_alias(50)
