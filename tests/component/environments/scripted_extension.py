"""An extension played by a coroutine: speaks the Extensions API over a real socket, as the test's script says."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import PurePosixPath
from typing import Any

import pytest

from lampion.domain import limits
from lampion.sandbox.driver import Exit
from lampion.sandbox.drivers.fake import FakeProcess
from tests.component.environments.scripted_runtime import Answer, Runtime
from tests.component.environments.stage import Stage

API = "/2020-01-01/extension"
BOTH = ("INVOKE", "SHUTDOWN")


class Extension:
    """The calls of one extension, on one keep-alive connection; an internal one's, if that is a runtime's."""

    def __init__(self, connection: Runtime, name: str) -> None:
        self.process = connection.process
        self.name = name
        self.identifier = ""
        self._connection = connection

    async def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        if self.identifier:
            headers = {"Lambda_Extension_Identifier": self.identifier, **headers}
        return await self._connection.call(method, f"{API}{path}", body, **headers)

    async def register(self, events: Sequence[str] = BOTH, **headers: str) -> Answer:
        body = json.dumps({"events": events}).encode()
        answer = await self.call("POST", "/register", body, Lambda_Extension_Name=self.name, **headers)
        self.identifier = answer.headers.get("lambda-extension-identifier", "")
        return answer

    async def next(self) -> dict[str, Any]:
        answer = await self.call("GET", "/event/next")
        assert answer.status == 200, answer.body
        event: dict[str, Any] = json.loads(answer.body)
        return event

    async def put(self, path: str, body: bytes, method: str = "PUT", **headers: str) -> Answer:
        """To another API than that of extensions; with its identifier, unless `headers` has another."""
        if self.identifier:
            headers = {"Lambda_Extension_Identifier": self.identifier, **headers}
        return await self._connection.call(method, path, body, **headers)

    async def report(self, phase: str, error_type: str) -> Answer:
        body = json.dumps({"errorMessage": "no", "errorType": error_type, "stackTrace": []}).encode()
        return await self.call("POST", f"/{phase}/error", body, Lambda_Extension_Function_Error_Type=error_type)


Script = Callable[[Extension], Awaitable[Exit]]


def play_extensions(**scripts: Script) -> Callable[[FakeProcess], Awaitable[Exit]]:
    """Plays each companion by the script of its name."""

    async def companion(process: FakeProcess) -> Exit:
        assert process.companion is not None
        name = PurePosixPath(process.companion).name
        connection = await Runtime.connect(process)
        try:
            return await scripts[name](Extension(connection, name))
        finally:
            connection.close()

    return companion


async def obedient(extension: Extension) -> Exit:
    """Registers for both events and ends when it is told to."""
    await extension.register()
    while (await extension.next())["eventType"] != "SHUTDOWN":
        pass
    return Exit(0)


def told(on: Stage, word: str) -> str:
    (line,) = (line for line in on.log.lines if line.startswith(word))
    return line


async def hang(_: object) -> Exit:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


def shorten_phases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that nobody ends by himself end soon."""
    monkeypatch.setattr(limits, "INIT_SECONDS", 0.3)
    monkeypatch.setattr(limits, "EXTERNAL_SHUTDOWN_SECONDS", 0.3)
    monkeypatch.setattr(limits, "RUNTIME_SHUTDOWN_SECONDS", 0.1)
    monkeypatch.setattr(limits, "INTERNAL_SHUTDOWN_SECONDS", 0.1)
