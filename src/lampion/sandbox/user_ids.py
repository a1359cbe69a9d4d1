"""Host user ids for sandboxes: one each, shared with nobody, given back at the end."""

import contextlib
import socket
from typing import Final

from lampion.sandbox.driver import SandboxError

FIRST_USER_ID: Final = 1_900_000_000
"""Beyond every range that distributions give to people, services, and their containers (/etc/subuid)."""
BLOCK_SIZE: Final = 16_384
_BLOCKS: Final = 512


class UserIds:
    """A block of ids that no other server on this machine uses while this object lives.

    The claim is an abstract socket name: the kernel grants it once and takes it back when its holder dies.
    """

    def __init__(self, claims: str = "lampion-user-ids") -> None:
        self._claims = claims
        self._claim: socket.socket | None = None
        self._first = 0
        self._used: set[int] = set()
        self._next = 0

    def take(self) -> int:
        """An id that no running sandbox has. Raises SandboxError when there is none."""
        if self._claim is None:
            self._claim_block()
        if len(self._used) == BLOCK_SIZE:
            raise SandboxError(f"all {BLOCK_SIZE} user ids for sandboxes are in use")
        while self._next in self._used:
            self._next = (self._next + 1) % BLOCK_SIZE
        slot = self._next
        self._used.add(slot)
        # The next one differs from the last, so that what a dead sandbox left (if anything) isn't its successor's.
        self._next = (slot + 1) % BLOCK_SIZE
        return self._first + slot

    def give_back(self, user_id: int) -> None:
        self._used.discard(user_id - self._first)

    def close(self) -> None:
        """Let another server have the block."""
        if self._claim is not None:
            self._claim.close()
            self._claim = None
            self._used.clear()

    def _claim_block(self) -> None:
        for block in range(_BLOCKS):
            claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            with contextlib.suppress(OSError):
                claim.bind(f"\0{self._claims}-{block}")
                self._claim, self._first = claim, FIRST_USER_ID + block * BLOCK_SIZE
                return
            claim.close()
        raise SandboxError("every block of user ids for sandboxes is claimed by another server on this machine")
