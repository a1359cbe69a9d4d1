"""User ids for sandboxes: a pair each, shared with nobody, given back at the end."""

import contextlib
import socket
from dataclasses import dataclass
from typing import Final

from lampion.sandbox.driver import SandboxError

_IDS_EACH: Final = 2


@dataclass(frozen=True, slots=True)
class IdSpace:
    """`blocks` blocks of `block_size` ids from `first_id` on. A server takes one block; `claims` names the space."""

    first_id: int
    block_size: int
    blocks: int
    claims: str


HOST_IDS: Final = IdSpace(1_900_000_000, 16_384, 512, "lampion-user-ids")
"""For a server that is root. Beyond every range that distributions give to people, services, and their containers."""


class UserIds:
    """A block of ids that no other server on this machine uses while this object lives.

    The claim is an abstract socket name: the kernel grants it once and takes it back when its holder dies.
    """

    def __init__(self, space: IdSpace = HOST_IDS) -> None:
        self._space = space
        self._slots = space.block_size // _IDS_EACH
        self._claim: socket.socket | None = None
        self._first = 0
        self._used: set[int] = set()
        self._next = 0

    def take(self) -> int:
        """An id that, like the one after it, no running sandbox has. Raises SandboxError when there is none."""
        if self._claim is None:
            self._claim_block()
        if len(self._used) == self._slots:
            raise SandboxError(f"all {self._space.block_size} user ids for sandboxes are in use")
        while self._next in self._used:
            self._next = (self._next + 1) % self._slots
        slot = self._next
        self._used.add(slot)
        # The next one differs from the last, so that what a dead sandbox left (if anything) isn't its successor's.
        self._next = (slot + 1) % self._slots
        return self._first + slot * _IDS_EACH

    def give_back(self, user_id: int) -> None:
        self._used.discard((user_id - self._first) // _IDS_EACH)

    def close(self) -> None:
        """Let another server have the block."""
        if self._claim is not None:
            self._claim.close()
            self._claim = None
            self._used.clear()

    def _claim_block(self) -> None:
        space = self._space
        for block in range(space.blocks):
            claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            with contextlib.suppress(OSError):
                claim.bind(f"\0{space.claims}-{block}")
                self._claim, self._first = claim, space.first_id + block * space.block_size
                return
            claim.close()
        raise SandboxError("every block of user ids for sandboxes is claimed by another server on this machine")
