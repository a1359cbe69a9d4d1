"""An archive of the Java runtime's own classes, beside them, so that a cold start parses and links none of them."""

import asyncio
import logging
from pathlib import Path
from typing import Final, Protocol

from lampion.code.interpreters import Interpreter
from lampion.code.runtimes import catalogue

ARCHIVE: Final = "lib/runtime.jsa"
_OPTIONS: Final = "lib/options"
_SINCE: Final = 13
_MODE: Final = 0o644

_LOG = logging.getLogger(__name__)


class ArchiveClasses(Protocol):
    """Has a Java write its archive where sandboxes have their own file systems; owned by a room that has sandboxes."""

    async def archive_classes(self, tree: Path, interpreter: Interpreter, *, output: int) -> None:
        """Write the archive that belongs to `tree`, seen at /var/runtime, to the descriptor `output`, or nothing where
        none can be made. Raises OSError when that may be otherwise another time.
        """


def can_archive_classes(interpreter: Interpreter) -> bool:
    """Whether this Java makes archives at its end (JEP 350)."""
    runtime = catalogue().runtimes.get(interpreter.runtime)
    is_java = runtime is not None and runtime.language == "java"
    return is_java and int(interpreter.version.partition(".")[0]) >= _SINCE


async def add_archive(tree: Path, interpreter: Interpreter, archiver: ArchiveClasses, *, root: str) -> bool:
    """Put the archive into `tree`, and the option that names it where functions see it: below `root`.

    False when it couldn't be tried: then it is worth another attempt some time. Raises OSError from the disk.
    """
    archive = tree / ARCHIVE
    with archive.open("wb") as file:
        try:
            await archiver.archive_classes(tree, interpreter, output=file.fileno())
        except OSError as error:
            _LOG.warning("%s starts without an archive of its classes: %s", interpreter.runtime, error)
            archive.unlink()
            return False
    await asyncio.to_thread(_settle, tree, archive, root)
    return True


def _settle(tree: Path, archive: Path, root: str) -> None:
    if archive.stat().st_size == 0:
        archive.unlink()
        return
    archive.chmod(_MODE)
    # One that doesn't fit, since Java was replaced meanwhile, is no reason to say anything in a function's log.
    (tree / _OPTIONS).write_text(f"-XX:SharedArchiveFile={root}/{ARCHIVE}\n-Xlog:cds=off\n-Xlog:cds+dynamic=off\n")
