"""Whether a function's image can be run, and if not, why: in words and codes that StateReason has for it."""

import asyncio
import logging
from typing import Final, Protocol

from lampion.code.images.architectures import ImageArchitectures
from lampion.code.images.manifests import BadManifest
from lampion.code.images.store import ContentDamaged, ContentMissing, Images
from lampion.code.images.streams import BadLayer
from lampion.domain.errors import ApiError
from lampion.domain.function import DeploymentPackage, Function, Reason
from lampion.store.errors import StoreError

_INVALID: Final = "InvalidImage"
_LOG = logging.getLogger(__name__)


class Pull(Protocol):
    """Brings in images from elsewhere."""

    async def pull(self, package: DeploymentPackage) -> None:
        """Have all of the image stored. Raises ApiError, OSError, or, when it isn't from elsewhere, KeyError."""


class ImageReadiness:
    """Makes images ready, ahead of the first environment."""

    def __init__(self, images: Images, others: Pull, architectures: ImageArchitectures, *, can_run: bool) -> None:
        """`can_run`: whether this server's sandboxes have a file system of their own."""
        self._images = images
        self._others = others
        self._architectures = architectures
        self._can_run = can_run

    async def obstacle(self, function: Function) -> Reason | None:
        """Have the image's file system unpacked; why that can't be, or None."""
        if not self._can_run:
            return Reason(
                "Container images need sandboxes with a file system of their own, which this server's don't have. "
                "`lampion doctor` says what this machine lacks for them.",
                _INVALID,
            )
        package = function.package
        try:
            if await self._images.missing(package.image_digest):
                await self._others.pull(package)
            image = await self._images.prepare(package.image_digest)
            architecture = function.configuration.architectures[0]
            foreign = self._architectures.obstacle
            problem = await asyncio.to_thread(foreign, architecture, image.config.architecture, image.root)
        except (BadLayer, BadManifest) as error:
            return Reason(f"The image {package.image_uri} can't be unpacked: {error}.", _INVALID)
        except (KeyError, ContentMissing, ContentDamaged) as error:
            _LOG.warning("image %s of %s is lost: %r", package.image_digest, function.key.arn, error)
            return Reason(
                f"The image {package.image_uri} is lost or damaged on this machine. Push it again, then update the "
                "function's code.",
                _INVALID,
            )
        except StoreError:
            raise
        except ApiError as error:
            return Reason(error.message, "ImageAccessDenied")
        except OSError as error:
            return Reason(f"The image could not be unpacked: {error.strerror or error}.", "InternalError")
        return None if problem is None else Reason(problem, _INVALID)
