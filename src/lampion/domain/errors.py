"""Errors of the Lambda API, named as the service model names them.

Each class says whose fault it is. HTTP status and member spelling come from the model, in `aws`.
"""

from enum import Enum
from typing import ClassVar


class Fault(Enum):
    """Who has to act on an error."""

    CALLER = "User"
    PLATFORM = "Server"


class ApiError(Exception):
    """An answer of the API other than success.

    `code` is the shape's name; `members` are further members of the shape, in wire spelling (`Reason`).
    """

    fault: ClassVar[Fault]

    def __init__(self, message: str, **members: str) -> None:
        super().__init__(message)
        self.message = message
        self.members = members

    @property
    def code(self) -> str:
        return type(self).__name__


class CallerError(ApiError):
    """The request can't be served as sent; repeating it unchanged won't help."""

    fault = Fault.CALLER


class PlatformError(ApiError):
    """Lampion, not the caller or the function, failed."""

    fault = Fault.PLATFORM


class InvalidParameterValueException(CallerError):
    """A parameter breaks a rule that the shapes alone don't express."""


class InvalidRequestContentException(CallerError):
    """The payload isn't JSON, or the body can't be parsed."""


class ResourceNotFoundException(CallerError):
    """The function, version or other resource named by the request doesn't exist."""


class ProvisionedConcurrencyConfigNotFoundException(CallerError):
    """The version or alias exists, and nothing is provisioned for it."""


class ResourceConflictException(CallerError):
    """The resource exists already, or another operation is in progress on it."""


class ResourceInUseException(CallerError):
    """The resource is changing from one state to another, or being deleted."""


class PreconditionFailedException(CallerError):
    """The RevisionId given isn't the current one."""


class PolicyLengthExceededException(CallerError):
    """The resource-based policy would become larger than one may be."""


class CodeStorageExceededException(CallerError):
    """The account's code storage is full."""


class CodeSigningConfigNotFoundException(CallerError):
    """The code signing configuration that a function is to use doesn't exist."""


class CodeVerificationFailedException(CallerError):
    """The package isn't trusted, and the function's code signing policy is Enforce."""


class InvalidCodeSignatureException(CallerError):
    """The signature in the package is damaged, whatever the code signing policy."""


class CapacityProviderLimitExceededException(CallerError):
    """The account has as many capacity providers as it may have."""


class FunctionVersionsPerCapacityProviderLimitExceededException(CallerError):
    """The capacity provider has as many versions of functions as it may have."""


class RecursiveInvocationException(CallerError):
    """The function has invoked itself in a loop, by way of whatever, and isn't run again."""


class RequestTooLargeException(CallerError):
    """The invocation's payload exceeds the limit."""


class TooManyRequestsException(CallerError):
    """Throttled; member `Reason` says by which limit."""


class UnsupportedMediaTypeException(CallerError):
    """The Content-Type isn't JSON."""


class ResourceNotReadyException(PlatformError):
    """The function is inactive and being brought back."""


class SnapStartException(CallerError):
    """The function's hook after a restore failed."""


class SnapStartTimeoutException(CallerError):
    """Restoring took longer than it may."""


class EFSMountFailureException(CallerError):
    """The function's file system can't be mounted as it is configured."""


class EFSMountConnectivityException(CallerError):
    """The function's file system can't be reached."""


class EFSMountTimeoutException(CallerError):
    """Mounting the function's file system took too long."""


class EFSIOException(CallerError):
    """Reading from or writing to the function's file system didn't come to an end."""


class S3FilesMountFailureException(CallerError):
    """As EFSMountFailureException, of an S3 Files access point."""


class S3FilesMountConnectivityException(CallerError):
    """As EFSMountConnectivityException, of an S3 Files access point."""


class S3FilesMountTimeoutException(CallerError):
    """As EFSMountTimeoutException, of an S3 Files access point."""


class KMSAccessDeniedException(CallerError):
    """Lambda may not use the key that the function's environment variables are encrypted with."""


class KMSDisabledException(CallerError):
    """The key that the function's environment variables are encrypted with is disabled."""


class KMSInvalidStateException(CallerError):
    """The key that the function's environment variables are encrypted with can't decrypt them as it is."""


class KMSNotFoundException(CallerError):
    """The key that the function's environment variables are encrypted with is gone."""


class InvalidRuntimeException(PlatformError):
    """The runtime or its version isn't available on this machine."""


class InvalidZipFileException(PlatformError):
    """The deployment package can't be unzipped when an environment needs it."""


class ServiceException(PlatformError):
    """Something failed inside Lampion."""


def resource_missing() -> ResourceNotFoundException:
    """AWS's answer for what isn't there, where it doesn't say what."""
    return ResourceNotFoundException("The resource you requested does not exist.")
