"""File-system images of unpacked trees, named by their content: one file that a single look verifies."""

import asyncio
import hashlib
from pathlib import Path
from typing import Final

from lampion.code.interpreters import RunTool

IMAGE_SECONDS: Final = 60.0
"""36 MB take a tenth of a second."""

_MAKER: Final = "mkfs.erofs"
_NO_ID: Final = "00000000-0000-0000-0000-000000000000"
_MODE: Final = 0o600


class ImageDamaged(Exception):
    """The image's content isn't what was made."""


async def make_image(tree: Path, image: Path, tool: RunTool) -> str:
    """Write `tree` into the free path `image`; the SHA-256 of the result, which depends on the tree alone.

    Raises OSError, also where erofs-utils aren't installed.
    """
    await asyncio.to_thread(image.touch, mode=_MODE, exist_ok=False)
    arguments = ("--quiet", "-x-1", "-T0", f"-U{_NO_ID}", "--all-root", str(image), str(tree))
    await tool.run((_MAKER, *arguments), timeout_seconds=IMAGE_SECONDS)
    return await asyncio.to_thread(content_hash, image)


def check_image(image: Path, sha256: str) -> None:
    """Raises ImageDamaged, OSError."""
    if content_hash(image) != sha256:
        raise ImageDamaged(image.name)


def content_hash(image: Path) -> str:
    """SHA-256 of the whole file. Blocking. Raises OSError."""
    with image.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
