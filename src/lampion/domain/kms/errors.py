"""Errors of KMS's API, named as its model names them."""

from lampion.domain.errors import CallerError


class AlreadyExistsException(CallerError):
    """The alias is taken."""


class DisabledException(CallerError):
    """The key is disabled."""


class DryRunOperationException(CallerError):
    """It would have succeeded, and was asked not to be done."""


class IncorrectKeyException(CallerError):
    """The ciphertext was made with another key than the named one."""


class InvalidAliasNameException(CallerError):
    """No alias may be called so."""


class InvalidArnException(CallerError):
    """An ARN that is none, or is of something else."""


class InvalidCiphertextException(CallerError):
    """It was tampered with, isn't of this server, or was encrypted with another context."""


class InvalidGrantIdException(CallerError):
    """No grant has that id."""


class InvalidGrantTokenException(CallerError):
    """The token isn't one of this server."""


class InvalidKeyUsageException(CallerError):
    """The key isn't of a kind for that."""


class InvalidMarkerException(CallerError):
    """The marker of a page isn't one of this server."""


class KMSInvalidStateException(CallerError):
    """The key's state doesn't permit it."""


class LimitExceededException(CallerError):
    """There are as many as there may be."""


class MalformedPolicyDocumentException(CallerError):
    """What isn't a policy, or can't be a key's."""


class NotFoundException(CallerError):
    """The key, alias or grant isn't there."""


class TagException(CallerError):
    """Tags that can't be."""


class UnsupportedOperationException(CallerError):
    """Not with this key, or not with these parameters."""
