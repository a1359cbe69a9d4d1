"""Errors of IAM's API, named as its model names them."""

from lampion.domain.errors import CallerError


class NoSuchEntityException(CallerError):
    """What the request names isn't there."""


class EntityAlreadyExistsException(CallerError):
    """The name is taken."""


class DeleteConflictException(CallerError):
    """Something still hangs on what is to be deleted."""


class LimitExceededException(CallerError):
    """The account has as many as it may."""


class InvalidInputException(CallerError):
    """A parameter breaks a rule that the shapes alone don't express."""


class MalformedPolicyDocumentException(CallerError):
    """What isn't a policy, or can't be one of its kind."""


class UnmodifiableEntityException(CallerError):
    """Only AWS changes it."""
