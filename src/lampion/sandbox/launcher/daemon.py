"""The launcher program as this server runs it: started once, it makes a process for each sandbox (daemon.c).

Knows nothing of event loops.
"""

import contextlib
import os
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.sandbox.driver import SandboxError
from lampion.sandbox.launcher.messages import MESSAGE_BYTES, Failed, Message, Prepared, parse_message

LISTENER_COUNT: Final = 2
"""Sockets that come with Prepared (launcher.h)."""
_HANDSHAKE_SECONDS: Final = 10.0
_END_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Launched:
    """Our ends of what connects us with one sandbox and its launcher process; whoever holds it closes them."""

    control: socket.socket
    output: int
    telemetry: int

    def close_pipes(self) -> None:
        os.close(self.output)
        os.close(self.telemetry)


class LauncherDaemon:
    """A running launcher program."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket) -> None:
        self._process = process
        self._channel = channel

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    def start(cls, launcher: Path, map_ids: Callable[[int], None] | None = None) -> "LauncherDaemon":
        """Start it: a few milliseconds, during which this thread waits. Raises SandboxError; then nothing is open.

        `map_ids`, for an ordinary user, gives the process with that number its ids in its own user namespace.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            argv = [str(launcher), str(theirs.fileno())]
            try:
                process = subprocess.Popen(
                    argv if map_ids is None else [*argv, "own-user-namespace"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={},
                    cwd="/",
                    pass_fds=(theirs.fileno(),),
                )
            except OSError as error:
                ours.close()
                raise SandboxError(f"the sandbox launcher doesn't start: {error.strerror}") from error
        daemon = cls(process, ours)
        if map_ids is not None:
            try:
                daemon._enter_namespace(map_ids)
            except BaseException:
                daemon.close()
                raise
        return daemon

    def _enter_namespace(self, map_ids: Callable[[int], None]) -> None:
        self._channel.settimeout(_HANDSHAKE_SECONDS)
        answer = self._channel.recv(MESSAGE_BYTES).decode()
        if answer != "unshared":
            raise SandboxError(answer.removeprefix("error ") or "the sandbox launcher ended at its start")
        map_ids(self._process.pid)
        self._channel.send(b"mapped")
        self._channel.settimeout(None)

    def launch(self, description: bytes, zygote: socket.socket | None = None) -> Launched:
        """Have a sandbox prepared: about 0.1 ms. Raises SandboxError; then nothing is open."""
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            try:
                control, their_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                ours.callback(control.close)
                theirs.callback(their_control.close)
                output, their_output = _pipe(ours, theirs)
                telemetry, their_telemetry = _pipe(ours, theirs)
                text = theirs.enter_context(_Text(description))
                descriptors = [their_control.fileno(), text.descriptor, their_output, their_telemetry]
                if zygote is not None:
                    descriptors.append(zygote.fileno())
                socket.send_fds(self._channel, [b"launch"], descriptors)
            except OSError as error:
                raise SandboxError(f"the sandbox launcher doesn't answer: {error.strerror}") from error
            ours.pop_all()
        control.setblocking(False)
        return Launched(control, output, telemetry)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """Its sandboxes live on; they end with their own connections."""
        self._channel.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def specialise(control: socket.socket, description: bytes, companion_output: int | None = None) -> None:
    """Give a prepared sandbox to a function. May raise OSError when the launcher has gone.

    `companion_output` is the pipe that its companions are to write to, if it has some.
    """
    with _Text(description) as text:
        descriptors = [text.descriptor] if companion_output is None else [text.descriptor, companion_output]
        socket.send_fds(control, [b"specialise"], descriptors)


def seal(control: socket.socket, requests: socket.socket) -> None:
    """Have a snapshot taken, copies of which are asked for on the other end of `requests`. May raise OSError."""
    socket.send_fds(control, [b"seal"], [requests.fileno()])


def receive(control: socket.socket) -> tuple[Message | None, list[int]]:
    """The next message, None at the end, and the descriptors that came along. May raise BlockingIOError."""
    try:
        raw, descriptors = _receive(control)
    except ConnectionResetError:
        # Said once, when it ended without having read all of ours; what it had said before still stands in line.
        raw, descriptors = _receive(control)
    if not raw:
        return None, descriptors
    message = parse_message(raw)
    if isinstance(message, Prepared) and len(descriptors) != LISTENER_COUNT:
        message = Failed(f"the launcher sent {len(descriptors)} listening sockets")
        while descriptors:
            os.close(descriptors.pop())
    return message, descriptors


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    raw, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, LISTENER_COUNT, socket.MSG_CMSG_CLOEXEC)
    return raw, descriptors


class _Text:
    """A text as a descriptor, for messages have a size."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.descriptor = -1

    def __enter__(self) -> "_Text":
        self.descriptor = os.memfd_create("lampion-sandbox", os.MFD_CLOEXEC)
        rest = memoryview(self._content)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)


def _pipe(ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> tuple[int, int]:
    read_end, write_end = os.pipe()
    ours.callback(os.close, read_end)
    theirs.callback(os.close, write_end)
    os.set_blocking(read_end, False)
    return read_end, write_end
