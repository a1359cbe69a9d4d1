"""The Rng port: identifiers and secrets. The system's draws from the kernel, the seeded one repeats itself."""

import os
import random
from collections import deque
from io import BytesIO
from typing import Protocol


class Rng(Protocol):
    """Randomness. `token` is fit for secrets with SystemRng, never with SeededRng."""

    def uuid4(self) -> str:
        """A random UUID in text form."""

    def token(self, size_bytes: int) -> bytes:
        """`size_bytes` random bytes."""

    def fraction(self) -> float:
        """Uniform in [0, 1)."""


def _uuid4_text(raw: bytes) -> str:
    digits = raw.hex()
    variant = "89ab"[raw[8] >> 6 & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


class SystemRng:
    """The kernel's generator, asked for batches: one system call serves many identifiers and short tokens."""

    _BATCH = 256
    _SHORT_TOKEN_BYTES = 64

    def __init__(self) -> None:
        self._uuids: deque[str] = deque()
        self._bytes = BytesIO()

    def uuid4(self) -> str:
        if not self._uuids:
            raw = os.urandom(16 * self._BATCH)
            self._uuids.extend(_uuid4_text(raw[i : i + 16]) for i in range(0, len(raw), 16))
        return self._uuids.popleft()

    def token(self, size_bytes: int) -> bytes:
        if size_bytes > self._SHORT_TOKEN_BYTES:
            return os.urandom(size_bytes)
        token = self._bytes.read(size_bytes)
        if len(token) < size_bytes:
            self._bytes = BytesIO(os.urandom(self._BATCH * self._SHORT_TOKEN_BYTES))
            token = self._bytes.read(size_bytes)
        return token

    def fraction(self) -> float:
        return int.from_bytes(os.urandom(7)) / (1 << 56)


class SeededRng:
    """A repeatable stream for simulation and tests; never for secrets."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def uuid4(self) -> str:
        return _uuid4_text(self._random.randbytes(16))

    def token(self, size_bytes: int) -> bytes:
        return self._random.randbytes(size_bytes)

    def fraction(self) -> float:
        return self._random.random()
