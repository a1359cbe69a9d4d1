"""What goes wrong in a registry: as the OCI distribution specification says it, and as ECR does."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from lampion.domain.errors import CallerError


class RegistryError(Exception):
    """An error answer of the distribution API (its section "Error Codes")."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers


def unauthorized(realm: str) -> RegistryError:
    challenge = f'Basic realm="{realm}",service="ecr.amazonaws.com"'
    return RegistryError(401, "UNAUTHORIZED", "Not Authorized", {"WWW-Authenticate": challenge})


def denied(message: str) -> RegistryError:
    return RegistryError(403, "DENIED", message)


def no_repository(name: str, account_id: str) -> RegistryError:
    return RegistryError(404, "NAME_UNKNOWN", missing_repository(name, account_id))


def no_blob(digest: str) -> RegistryError:
    return RegistryError(404, "BLOB_UNKNOWN", f"blob unknown to registry: {digest}")


def no_manifest(reference: str) -> RegistryError:
    return RegistryError(404, "MANIFEST_UNKNOWN", f"Requested image not found: {reference}")


def no_upload() -> RegistryError:
    return RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")


def bad_upload(message: str) -> RegistryError:
    return RegistryError(400, "BLOB_UPLOAD_INVALID", message)


def bad_digest(message: str = "provided digest did not match uploaded content") -> RegistryError:
    return RegistryError(400, "DIGEST_INVALID", message)


def bad_manifest(message: str) -> RegistryError:
    return RegistryError(400, "MANIFEST_INVALID", message)


def too_large(most_bytes: int) -> RegistryError:
    return RegistryError(413, "SIZE_INVALID", f"more than {most_bytes} bytes")


def unsupported(message: str = "The operation is unsupported.", status: int = 405) -> RegistryError:
    return RegistryError(status, "UNSUPPORTED", message)


def missing_repository(name: str, account_id: str) -> str:
    return f"The repository with name '{name}' does not exist in the registry with id '{account_id}'"


def referenced_by(digests: Sequence[str]) -> str:
    return f"Requested image referenced by manifest list: [{', '.join(digests)}]"


# -- ECR's --


class InvalidParameterException(CallerError):
    """A parameter breaks a rule that the shapes alone don't express."""


class InvalidTagParameterException(CallerError):
    """A repository's tag is too long, reserved, or there twice."""


class TooManyTagsException(CallerError):
    """A repository has only so many tags."""


class RepositoryNotFoundException(CallerError):
    """No repository has that name."""


class RepositoryAlreadyExistsException(CallerError):
    """One has."""


class RepositoryNotEmptyException(CallerError):
    """It has images, and `force` wasn't given."""


class ImageNotFoundException(CallerError):
    """No image in the repository is what was asked for."""
