"""Holds a package to the code signing configuration of its function, before the function gets it."""

import asyncio
import logging

from lampion.code.signatures import BadSignature, read_signature
from lampion.domain.code_signing import CodeSigningConfig, CodeSigningPolicy, distrust, untrusted
from lampion.domain.errors import InvalidCodeSignatureException

_LOG = logging.getLogger(__name__)


async def check_trusted(zipped: bytes, config: CodeSigningConfig | None, subject: str, now_epoch_ms: int) -> None:
    """Let the package through, or not; `zipped` keeps the rules for zips, `subject` is what AWS's message names.

    Under Warn the server's log says why a package isn't trusted. Raises CodeVerificationFailedException for such a
    package under Enforce, and InvalidCodeSignatureException for a damaged signature under either.
    """
    if config is None:
        return
    try:
        signature = await asyncio.to_thread(read_signature, zipped)
    except BadSignature as error:
        _LOG.warning("package for %s refused by %s: bad signature: %s", subject, config.id, error)
        raise InvalidCodeSignatureException(
            f"Lambda cannot deploy the function. The code signature for {subject} failed the integrity check."
        ) from error
    reason = distrust(signature, config.allowed_publishers, now_epoch_ms)
    _LOG.warning("package for %s isn't trusted (%s, %s): %s", subject, config.id, config.policy, reason)
    if config.policy is CodeSigningPolicy.ENFORCE:
        raise untrusted(subject)
