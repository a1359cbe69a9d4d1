"""What an origin has of the sandbox that it is: everything but what becomes of it."""

import socket

from lampion.sandbox.driver import Exit, Sandbox


class Delegating:
    """A sandbox.driver.Sandbox by another one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.sandbox_id = sandbox.sandbox_id
        self.runtime_api = sandbox.runtime_api
        self.gateway = sandbox.gateway
        self.output = sandbox.output
        self.telemetry = sandbox.telemetry
        self.processes = sandbox.processes

    async def wait(self) -> Exit:
        return await self._sandbox.wait()

    async def stop(self, grace_seconds: float) -> Exit:
        return await self._sandbox.stop(grace_seconds)

    async def connect(self, port: int) -> socket.socket:
        return await self._sandbox.connect(port)

    def limit_cpu(self) -> None:
        self._sandbox.limit_cpu()

    def give_way(self, *, to_others: bool) -> None:
        self._sandbox.give_way(to_others=to_others)

    def freeze(self) -> None:
        self._sandbox.freeze()

    def thaw(self) -> None:
        self._sandbox.thaw()

    def max_memory_bytes(self) -> int:
        return self._sandbox.max_memory_bytes()
