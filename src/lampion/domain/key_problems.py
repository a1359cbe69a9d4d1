"""Why a key of KMS was of no use to Lambda, and what Lambda's API says of that. Pure.

Docs: Lambda API reference, Invoke (errors); developer guide, "Securing Lambda environment variables".
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from lampion.domain.errors import (
    ApiError,
    InvalidParameterValueException,
    KMSAccessDeniedException,
    KMSDisabledException,
    KMSInvalidStateException,
    KMSNotFoundException,
)
from lampion.domain.function import Reason

PACKAGE: Final = "the deployment package"
"""What can't be decrypted, where it isn't the environment variables."""


class KeyProblem(Enum):
    """What is wrong."""

    DENIED = "KMS access was denied"
    DISABLED = "the KMS key used is disabled"
    INVALID_STATE = "the KMS key used is in an invalid state for Decrypt"
    NOT_FOUND = "the KMS key was not found"


class KeyUnusable(Exception):
    """KMS refused `operation` (Encrypt, Decrypt, CreateGrant, GenerateDataKey), and said so with `said`."""

    def __init__(self, operation: str, said: ApiError) -> None:
        super().__init__(f"{operation}: {said.code}: {said.message}")
        self.operation = operation
        self.said = said

    @property
    def problem(self) -> KeyProblem:
        return _PROBLEMS.get(self.said.code, KeyProblem.INVALID_STATE)


_PROBLEMS: Final = {
    "AccessDeniedException": KeyProblem.DENIED,
    "DisabledException": KeyProblem.DISABLED,
    "InvalidArnException": KeyProblem.NOT_FOUND,
    "NotFoundException": KeyProblem.NOT_FOUND,
}
_INVOKING: Final[Mapping[KeyProblem, type[ApiError]]] = {
    KeyProblem.DENIED: KMSAccessDeniedException,
    KeyProblem.DISABLED: KMSDisabledException,
    KeyProblem.INVALID_STATE: KMSInvalidStateException,
    KeyProblem.NOT_FOUND: KMSNotFoundException,
}
_STATES: Final = {
    KeyProblem.DENIED: "KMSKeyAccessDenied",
    KeyProblem.DISABLED: "DisabledKMSKey",
    KeyProblem.INVALID_STATE: "InvalidStateKMSKey",
    KeyProblem.NOT_FOUND: "KMSKeyNotFound",
}
_CONFIGURING: Final[Mapping[KeyProblem, str]] = {
    KeyProblem.DENIED: "you are not authorized to use the KMS key for {}",
    KeyProblem.DISABLED: "the KMS key is disabled",
    KeyProblem.INVALID_STATE: "the KMS key is in an invalid state for {}",
    KeyProblem.NOT_FOUND: "the KMS key is invalid for {}",
}
"""The last one is AWS's; nobody has published the others."""


def cannot_decrypt(unusable: KeyUnusable, what: str = "the environment variables") -> ApiError:
    """The answer to who invokes a function of which no environment can start. AWS sends it without a `Type`."""
    return _INVOKING[unusable.problem](_not_decrypted(unusable, what), Type="")


def cannot_start(unusable: KeyUnusable, what: str = "the environment variables") -> Reason:
    """The state of a function that can't become Active for that."""
    return Reason(_not_decrypted(unusable, what), _STATES[unusable.problem])


def cannot_show(unusable: KeyUnusable) -> Mapping[str, str]:
    """The shape EnvironmentError: what a caller sees in place of the variables that he may not see."""
    problem = unusable.problem
    why = "the KMS access was denied" if problem is KeyProblem.DENIED else problem.value
    to_check = "KMS permissions" if problem is KeyProblem.DENIED else "KMS key settings"
    message = (
        f"Lambda was unable to decrypt your environment variables because {why}. Please check your {to_check}. "
        f"KMS Exception: {unusable.said.code} KMS Message: {unusable.said.message}"
    )
    return {"ErrorCode": unusable.said.code, "Message": message}


def cannot_download(unusable: KeyUnusable) -> Mapping[str, str]:
    """The shape FunctionCodeLocationError: what a caller gets in place of the address of code that he may not see.

    Docs: Lambda developer guide, "Encrypting Lambda .zip deployment packages".
    """
    why, to_check = unusable.problem.value, "KMS key settings"
    if unusable.problem is KeyProblem.DENIED:
        why, to_check = "KMS access is denied", "KMS permissions"
    message = f"{why[0].upper()}{why[1:]}. Check your {to_check}. KMS Exception: {unusable.said.code} "
    message += f"KMS Message: {unusable.said.message}"
    return {"ErrorCode": unusable.said.code, "Message": message}


def cannot_configure(unusable: KeyUnusable, what: str = "your environment variables") -> ApiError:
    """The answer to who wants a function to have a key that it can't have, or that he may not use."""
    why = _CONFIGURING[unusable.problem].format(unusable.operation)
    return InvalidParameterValueException(
        f"Lambda was unable to configure access to {what} because {why}. Please check your KMS key settings. "
        f"KMS Exception: {unusable.said.code} KMS Message: {unusable.said.message}"
    )


def _not_decrypted(unusable: KeyUnusable, what: str) -> str:
    """AWS leaves no space before the second label."""
    return (
        f"Lambda was unable to decrypt {what} because {unusable.problem.value}. Please check the function's KMS key "
        f"settings. KMS Exception: {unusable.said.code}KMS Message: {unusable.said.message}"
    )
