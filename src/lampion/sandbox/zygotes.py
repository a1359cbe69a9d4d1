"""Zygotes: one interpreter each that has started and holds nothing of any function, to be copied into sandboxes."""

import asyncio
import contextlib
import logging
import os
import socket
from typing import Final

from lampion.sandbox.beginnings import Beginnings
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.launcher.build import ZYGOTE
from lampion.sandbox.launcher.connection import LauncherConnection
from lampion.sandbox.launcher.daemon import Launched
from lampion.sandbox.launcher.description import Identity, describe_zygote
from lampion.sandbox.prepared import USUAL_LIMITS
from lampion.sandbox.spec import Mount, Template

MODULE_INSIDE: Final = "/var/lampion/lampion-zygote.so"
"""Where a zygote's program finds the module that makes the copies (launcher/zygote)."""
_MOST_COPIES: Final = 1_000
_MOST_FAILURES: Final = 3

_LOG = logging.getLogger(__name__)


class Zygote:
    """A running one. Requests wait in its socket until it has started."""

    def __init__(self, beginnings: Beginnings, template: Template) -> None:
        mounts = (*template.mounts, Mount(ZYGOTE, MODULE_INSIDE))
        description = describe_zygote(
            argv=template.worker,
            environ=dict(template.environ),
            entries=beginnings.entries(Identity(0), mounts),
            limits=USUAL_LIMITS,
        )
        self.requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.copies = 0
        try:
            self._launched = beginnings.launch(description, theirs)
        except BaseException:
            self.requests.close()
            raise
        finally:
            theirs.close()
        self._connection = LauncherConnection(self._launched, self._gone)
        _log_output(self._launched, template)

    @property
    def is_alive(self) -> bool:
        return not self._connection.is_over

    def retire(self) -> None:
        """No more requests: it ends once it has served those that are under way."""
        self.requests.close()

    async def end(self) -> None:
        self.requests.close()
        self._connection.kill()
        await self._connection.ended()

    def _gone(self, is_clean: bool) -> None:
        self.requests.close()
        loop = asyncio.get_running_loop()
        for pipe in (self._launched.output, self._launched.telemetry):
            loop.remove_reader(pipe)
        self._launched.close_pipes()


class Zygotes:
    """One for each template, started when first asked for, and anew when it has died or has been copied often.

    Copies share their zygote's address layout and hash seed, so none goes on for ever.
    """

    def __init__(self, beginnings: Beginnings) -> None:
        self._beginnings = beginnings
        self._zygotes: dict[Template, Zygote] = {}
        self._failures: dict[Template, int] = {}
        self._retired: list[Zygote] = []

    def of(self, template: Template) -> Zygote:
        """Raises SandboxError, also when it has died too often to be tried again."""
        zygote = self._zygotes.get(template)
        if zygote is not None and zygote.is_alive and zygote.copies < _MOST_COPIES:
            return zygote
        if zygote is not None and zygote.is_alive:
            zygote.retire()
            self._retired = [*(old for old in self._retired if old.is_alive), zygote]
        elif zygote is not None:
            self._failures[template] = self._failures.get(template, 0) + (zygote.copies == 0)
        if self._failures.get(template, 0) >= _MOST_FAILURES:
            raise SandboxError(f"the zygote {template.worker[0]} doesn't start")
        zygote = self._zygotes[template] = Zygote(self._beginnings, template)
        return zygote

    async def close(self) -> None:
        zygotes = [*self._zygotes.values(), *self._retired]
        self._zygotes.clear()
        for zygote in zygotes:
            await zygote.end()


def _log_output(launched: Launched, template: Template) -> None:
    """What a zygote prints is a fault of ours."""

    def read() -> None:
        with contextlib.suppress(OSError):
            text = os.read(launched.output, 65536)
            if text:
                _LOG.error("zygote %s: %s", template.worker[0], text.decode(errors="replace").strip())
            else:
                asyncio.get_running_loop().remove_reader(launched.output)

    asyncio.get_running_loop().add_reader(launched.output, read)
