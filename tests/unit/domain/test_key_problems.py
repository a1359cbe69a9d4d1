"""Why a key was of no use, in the words of each place where that is told."""

import pytest

from lampion.aws.errors import AccessDeniedException
from lampion.domain.errors import ApiError
from lampion.domain.key_problems import (
    PACKAGE,
    KeyUnusable,
    cannot_configure,
    cannot_decrypt,
    cannot_download,
    cannot_show,
    cannot_start,
)
from lampion.domain.kms.errors import (
    DisabledException,
    InvalidArnException,
    InvalidCiphertextException,
    KMSInvalidStateException,
    NotFoundException,
)


@pytest.mark.parametrize(
    ("said", "code", "state", "why"),
    [
        (AccessDeniedException("no"), "KMSAccessDeniedException", "KMSKeyAccessDenied", "KMS access was denied"),
        (DisabledException("off"), "KMSDisabledException", "DisabledKMSKey", "the KMS key used is disabled"),
        (
            KMSInvalidStateException("pending"),
            "KMSInvalidStateException",
            "InvalidStateKMSKey",
            "the KMS key used is in an invalid state for Decrypt",
        ),
        (
            InvalidCiphertextException(""),
            "KMSInvalidStateException",
            "InvalidStateKMSKey",
            "the KMS key used is in an invalid state for Decrypt",
        ),
        (NotFoundException("gone"), "KMSNotFoundException", "KMSKeyNotFound", "the KMS key was not found"),
        (InvalidArnException("none"), "KMSNotFoundException", "KMSKeyNotFound", "the KMS key was not found"),
    ],
)
def test_an_invocation_and_a_state_tell_the_problem(said: ApiError, code: str, state: str, why: str) -> None:
    unusable = KeyUnusable("Decrypt", said)
    text = (
        f"Lambda was unable to decrypt the environment variables because {why}. Please check the function's KMS key "
        f"settings. KMS Exception: {said.code}KMS Message: {said.message}"
    )
    error = cannot_decrypt(unusable)
    assert (error.code, error.message) == (code, text)
    reason = cannot_start(unusable)
    assert (reason.code, reason.text) == (state, text)


def test_who_may_not_see_variables_is_told_by_kms_words() -> None:
    assert cannot_show(KeyUnusable("Decrypt", AccessDeniedException("User: x may not"))) == {
        "ErrorCode": "AccessDeniedException",
        "Message": "Lambda was unable to decrypt your environment variables because the KMS access was denied. "
        "Please check your KMS permissions. KMS Exception: AccessDeniedException KMS Message: User: x may not",
    }
    disabled = cannot_show(KeyUnusable("Decrypt", DisabledException("k is disabled.")))
    assert disabled["ErrorCode"] == "DisabledException"
    assert "because the KMS key used is disabled. Please check your KMS key settings." in disabled["Message"]


def test_a_key_that_cannot_be_had_is_refused_in_aws_words() -> None:
    error = cannot_configure(KeyUnusable("CreateGrant", NotFoundException("Key 'a' does not exist")))
    assert error.code == "InvalidParameterValueException"
    assert error.message == (
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
        "CreateGrant. Please check your KMS key settings. KMS Exception: NotFoundException KMS Message: "
        "Key 'a' does not exist"
    )


@pytest.mark.parametrize(
    ("said", "begins"),
    [
        (AccessDeniedException("User: x may not"), "KMS access is denied. Check your KMS permissions. "),
        (DisabledException("k is disabled."), "The KMS key used is disabled. Check your KMS key settings. "),
        (NotFoundException("gone"), "The KMS key was not found. Check your KMS key settings. "),
    ],
)
def test_who_may_not_have_code_is_told_by_kms_words(said: ApiError, begins: str) -> None:
    assert cannot_download(KeyUnusable("Decrypt", said)) == {
        "ErrorCode": said.code,
        "Message": f"{begins}KMS Exception: {said.code} KMS Message: {said.message}",
    }


def test_code_is_named_where_it_is_code() -> None:
    unusable = KeyUnusable("Decrypt", NotFoundException("gone"))
    assert "unable to decrypt the deployment package because" in cannot_decrypt(unusable, PACKAGE).message
    assert "unable to decrypt the deployment package because" in cannot_start(unusable, PACKAGE).text
    assert "configure access to the deployment package because" in cannot_configure(unusable, PACKAGE).message
