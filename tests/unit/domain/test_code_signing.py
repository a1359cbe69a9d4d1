"""Code signing: which packages are trusted, and which configurations can be deleted."""

from dataclasses import replace

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.code_signing import (
    CodeSigningConfig,
    FunctionCodeSigning,
    Signature,
    check_signable,
    check_unused,
    distrust,
    untrusted,
)
from lampion.domain.errors import InvalidParameterValueException, ResourceConflictException
from lampion.domain.function import DeploymentPackage, Function, FunctionConfiguration, LoggingConfig

PROFILE = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/p/1"
JOB = "arn:aws:signer:us-east-1:123456789012:/signing-jobs/j"
CONFIG = CodeSigningConfig(
    account_id="123456789012", region="us-east-1", id="csc-1", allowed_publishers=(PROFILE,), last_modified_epoch_ms=0
)


@pytest.mark.parametrize(
    ("signature", "allowed", "reason"),
    [
        (None, (PROFILE,), "it isn't signed"),
        (Signature(PROFILE, JOB, 2000), (PROFILE[:-2],), "which is no allowed publisher"),
        (Signature(PROFILE, JOB, 1000), (PROFILE,), "has expired"),
        (Signature(PROFILE, JOB, 1001), (PROFILE,), "no means to verify"),
    ],
)
def test_no_package_is_trusted_and_the_reason_is_the_first_that_holds(
    signature: Signature | None, allowed: tuple[str, ...], reason: str
) -> None:
    assert distrust(signature, allowed, 1000).endswith(reason)


def test_a_configuration_in_use_is_kept() -> None:
    check_unused(CONFIG.arn, [])
    with pytest.raises(ResourceConflictException):
        check_unused(CONFIG.arn, [FunctionCodeSigning(FunctionKey("123456789012", "us-east-1", "f"), CONFIG.arn)])


def test_only_zip_packages_are_signed() -> None:
    zipped = Function(
        key=FunctionKey("123456789012", "us-east-1", "f"),
        configuration=FunctionConfiguration(role="r", logging=LoggingConfig("g")),
        package=DeploymentPackage("0" * 64, "base64=", 1),
        revision_id="r",
        last_modified_epoch_ms=0,
    )
    check_signable(zipped)
    with pytest.raises(InvalidParameterValueException) as caught:
        check_signable(replace(zipped, configuration=replace(zipped.configuration, package_type="Image")))
    assert caught.value.message == "Code signing is not supported for functions created with container images."


def test_the_refusal_names_what_was_to_be_deployed() -> None:
    assert untrusted("f").message == (
        "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client "
        "is not configured to accept. Check the provided signature for f."
    )
