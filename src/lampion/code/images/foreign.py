"""Images of registries elsewhere."""

from lampion.domain.function import DeploymentPackage
from lampion.domain.image import ImageReference, not_valid


class ForeignRegistries:
    """None."""

    def serves(self, host: str) -> bool:
        return False

    async def manifest(self, reference: ImageReference) -> bytes:
        raise not_valid(reference.host)

    async def pull(self, package: DeploymentPackage) -> None:
        raise KeyError(package.image_uri)
