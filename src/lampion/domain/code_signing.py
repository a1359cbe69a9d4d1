"""Code signing: who may have signed a function's code, and what to do with a package that isn't theirs. Pure.

Shapes: CodeSigningConfig, CodeSigningPolicies. Developer guide: "Using code signing to verify code integrity".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import (
    CodeSigningConfigNotFoundException,
    CodeVerificationFailedException,
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lampion.domain.function import Function


class CodeSigningPolicy(StrEnum):
    """What happens to a package that isn't trusted."""

    WARN = "Warn"
    ENFORCE = "Enforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningConfig:
    """`allowed_publishers` are ARNs of versions of signing profiles; `id` begins with `csc-`."""

    account_id: str
    region: str
    id: str
    allowed_publishers: tuple[str, ...]
    policy: CodeSigningPolicy = CodeSigningPolicy.WARN
    description: str | None = None
    last_modified_epoch_ms: int
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account_id}:code-signing-config:{self.id}"


@dataclass(frozen=True, slots=True)
class FunctionCodeSigning:
    """Which configuration a function's new code is held to."""

    key: FunctionKey
    config_arn: str


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signature in a package says of itself; none of it is proven by being written there."""

    profile_version_arn: str
    job_arn: str
    expires_epoch_ms: int


def distrust(signature: Signature | None, allowed_publishers: Sequence[str], now_epoch_ms: int) -> str:
    """Why a package isn't trusted, in words for the server's log.

    There is always a reason: which bytes of a package AWS Signer hashes is not published, so Lampion can't tell a
    signed package from one with somebody else's signature put in. Nothing may pass as signed that could be forged.
    """
    if signature is None:
        return "it isn't signed"
    claim = f"its signature claims {signature.profile_version_arn} ({signature.job_arn})"
    if signature.profile_version_arn not in allowed_publishers:
        return f"{claim}, which is no allowed publisher"
    if signature.expires_epoch_ms <= now_epoch_ms:
        return f"{claim}, and has expired"
    return f"{claim}, which Lampion has no means to verify"


def check_unused(config_arn: str, users: Sequence[FunctionCodeSigning]) -> None:
    """Raises ResourceConflictException while functions use the configuration."""
    if users:
        raise ResourceConflictException(
            f"The code signing configuration {config_arn} cannot be deleted because it is in use by a function: "
            f"{users[0].key.arn}"
        )


def check_signable(function: Function) -> None:
    """Raises InvalidParameterValueException for a container image: only zip packages are signed."""
    if function.configuration.package_type == "Image":
        raise InvalidParameterValueException(
            "Code signing is not supported for functions created with container images."
        )


def untrusted(subject: str) -> CodeVerificationFailedException:
    """AWS's refusal under Enforce; `subject` is a new function's name, or the ARN of one that exists or of a layer."""
    return CodeVerificationFailedException(
        "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client "
        f"is not configured to accept. Check the provided signature for {subject}."
    )


def config_not_found(arn: str) -> ResourceNotFoundException:
    """AWS's answer to who asks for a configuration as such."""
    return ResourceNotFoundException(f"The Lambda code signing configuration {arn} can not be found.", Type="")


def config_gone(arn: str) -> CodeSigningConfigNotFoundException:
    """AWS's answer to who wants a function to use a configuration that doesn't exist."""
    return CodeSigningConfigNotFoundException(
        f"The code signing configuration cannot be found. Check that the provided configuration is not deleted: {arn}."
    )
