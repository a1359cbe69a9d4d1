"""Run by path in the child of the `process` driver: sets what only the child can set, then becomes the function.

TRAMPOLINE REQUEST STATUS [GATE]: descriptors. REQUEST holds NUL-terminated words (`encode_request`); a failure is
written to STATUS, which the exec closes. With a GATE, the exec waits until a byte comes there. Imports next to nothing,
for it runs before every function.
"""

import os
import sys
from collections.abc import Iterable, Mapping


def encode_request(
    argv: Iterable[str],
    environ: Mapping[str, str],
    working_directory: str,
    telemetry: tuple[int, int],
    limits: Iterable[tuple[str, int, int]],
) -> bytes:
    """`telemetry`: the descriptor it comes on and the number it gets; the first is -1 when there is none.

    Raises ValueError on NUL characters.
    """
    limit_words = [word for name, soft, hard in limits for word in (name, str(soft), str(hard))]
    arguments = list(argv)
    words = [
        working_directory,
        *map(str, telemetry),
        str(len(limit_words)),
        *limit_words,
        str(len(arguments)),
        *arguments,
        *(f"{name}={value}" for name, value in environ.items()),
    ]
    encoded = [os.fsencode(word) for word in words]
    if any(b"\0" in word for word in encoded):
        raise ValueError("an argument or a variable holds a NUL character")
    return b"\0".join(encoded)


def _limit(name: bytes, soft: int, hard: int) -> None:
    import resource  # noqa: PLC0415

    kind = getattr(resource, f"RLIMIT_{name.decode().upper()}")
    _, most = resource.getrlimit(kind)
    if most != resource.RLIM_INFINITY:
        hard = most if hard == resource.RLIM_INFINITY else min(hard, most)
        soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)
    resource.setrlimit(kind, (soft, hard))


def _close_all_but(kept: list[int], first: int) -> None:
    """Whatever else was open in the server from `first` on, whichever way it came to be inheritable."""
    for descriptor in sorted(kept):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def _await_gate(gate: int) -> None:
    if not os.read(gate, 1):
        os._exit(1)  # nobody opens it any more


def _become(words: list[bytes], kept: list[int]) -> None:
    telemetry, target, limit_count = int(words[1]), int(words[2]), int(words[3])
    limits, rest = words[4 : 4 + limit_count], words[4 + limit_count :]
    if telemetry not in (-1, target):
        os.dup2(telemetry, target)
    # Before the limits, for the highest number follows from them.
    _close_all_but(kept, target if telemetry == -1 else target + 1)
    for index in range(0, limit_count, 3):
        _limit(limits[index], int(limits[index + 1]), int(limits[index + 2]))
    os.chdir(words[0])
    os.umask(0o022)
    argv = rest[1 : 1 + int(rest[0])]
    pairs = (variable.partition(b"=") for variable in rest[1 + len(argv) :])
    for gate in kept[1:]:
        _await_gate(gate)
    # Passed as words and not as our own environment, to which the interpreter has added something.
    environ = {name: value for name, _, value in pairs}
    try:
        os.execve(argv[0], argv, environ)  # noqa: S606
    except OSError as error:
        raise ValueError(f"exec {os.fsdecode(argv[0])}: {error.strerror}") from None  # launcher/messages.py reads it


def _above(descriptor: int, number: int) -> int:
    while descriptor <= number:
        descriptor = os.dup(descriptor)
    return descriptor


def main() -> None:
    request_fd, *kept = map(int, sys.argv[1:])
    for descriptor in kept:
        os.set_inheritable(descriptor, False)
    try:
        with os.fdopen(request_fd, "rb") as request:
            words = request.read().split(b"\0")
        # The number of the telemetry pipe may be in use by another one, which moves out of the way.
        kept = [_above(descriptor, int(words[2])) for descriptor in kept]
        _become(words, kept)
    except (OSError, ValueError) as error:
        os.write(kept[0], str(error).encode(errors="replace"))
        os._exit(127)


if __name__ == "__main__":
    main()
