"""Errors of STS's API, named as its model names them."""

from lampion.domain.errors import CallerError


class PackedPolicyTooLargeException(CallerError):
    """Session policies and tags take more room than a session token has."""
