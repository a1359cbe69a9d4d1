"""Which packages are ciphertext where they are stored."""

import base64
import hashlib

import pytest

from lampion.domain.function import DeploymentPackage

SHA256 = hashlib.sha256(b"zip")
CODE_SHA256 = base64.b64encode(SHA256.digest()).decode()
KEY = "arn:aws:kms:us-east-1:123456789012:key/k"


@pytest.mark.parametrize(
    ("name", "key_arn", "is_encrypted"),
    [
        (SHA256.hexdigest(), None, False),
        (hashlib.sha256(b"ciphertext").hexdigest(), KEY, True),
        (SHA256.hexdigest(), KEY, False),  # stored when keys were only kept
    ],
)
def test_a_package_with_a_key_is_encrypted_unless_its_blob_is_named_as_the_zip(
    name: str, key_arn: str | None, is_encrypted: bool
) -> None:
    package = DeploymentPackage(name, CODE_SHA256, 3, source_kms_key_arn=key_arn)
    assert package.is_encrypted == is_encrypted


def test_an_image_is_not_encrypted() -> None:
    digest = SHA256.hexdigest()
    assert not DeploymentPackage(digest, digest, 0, source_kms_key_arn=KEY, image_uri="r:tag").is_encrypted
