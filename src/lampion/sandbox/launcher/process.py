"""Starts the launcher program with its descriptors. Knows nothing of event loops."""

import contextlib
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lampion.sandbox.driver import SandboxError
from lampion.sandbox.launcher.messages import MESSAGE_BYTES, Failed, Message, Running, parse_message


@dataclass(frozen=True, slots=True)
class LauncherProcess:
    """A started launcher and our ends of what connects us with it; whoever holds it closes them."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    output: int
    telemetry: int

    def close_pipes(self) -> None:
        os.close(self.output)
        os.close(self.telemetry)


def spawn(launcher: Path, description: bytes) -> LauncherProcess:
    """Start it: about a millisecond, during which this thread waits. Raises SandboxError; then nothing is open."""
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        try:
            control, their_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.callback(control.close)
            theirs.callback(their_control.close)
            output, their_output = _pipe(ours, theirs)
            telemetry, their_telemetry = _pipe(ours, theirs)
            text = os.memfd_create("lampion-sandbox", os.MFD_CLOEXEC)
            theirs.callback(os.close, text)
            _write_all(text, description)
            descriptors = (their_control.fileno(), text, their_output, their_telemetry)
            process = subprocess.Popen(
                [str(launcher), *map(str, descriptors)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                pass_fds=descriptors,
            )
        except OSError as error:
            raise SandboxError(f"the sandbox launcher doesn't start: {error.strerror}") from error
        ours.pop_all()
    control.setblocking(False)
    return LauncherProcess(process, control, output, telemetry)


def receive(control: socket.socket) -> tuple[Message | None, int | None]:
    """The next message, None at the end, and the descriptor that came along. May raise BlockingIOError."""
    try:
        raw, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        return None, None
    descriptor = descriptors[0] if descriptors else None
    if not raw:
        return None, descriptor
    message = parse_message(raw)
    if isinstance(message, Running) and descriptor is None:
        message = Failed("the launcher sent no listening socket")
    return message, descriptor


def _pipe(ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> tuple[int, int]:
    read_end, write_end = os.pipe()
    ours.callback(os.close, read_end)
    theirs.callback(os.close, write_end)
    os.set_blocking(read_end, False)
    return read_end, write_end


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
