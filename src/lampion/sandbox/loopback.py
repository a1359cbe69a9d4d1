"""Connections to a sandbox's own loopback, made by the server on a socket of the sandbox's network."""

import asyncio
import socket
from typing import Final

_LOOPBACK: Final = "127.0.0.1"


def new_socket() -> socket.socket:
    """In the network of this process."""
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)


async def connect(made: socket.socket, port: int) -> socket.socket:
    """Connect `made`, wherever it was made, to whoever listens at `port` there. Raises OSError; then it is closed."""
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, (_LOOPBACK, port))
    except BaseException:
        made.close()
        raise
    return made
