"""The body of a request that its application takes in pieces, as they come."""

from typing import Protocol

from lampion.http.application import BodyReceiver


class Tap(Protocol):
    """The connection, as far as it is needed here."""

    def hold_back(self, *, wanted: bool) -> None:
        """Read no more for a while, or go on."""


class OpenBody:
    """A body that is coming (http.message.BodyPieces)."""

    __slots__ = ("_receiver", "_tap", "discarded_bytes", "trailers")

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._receiver: BodyReceiver | None = None
        self.trailers: dict[str, str] = {}
        self.discarded_bytes = 0

    def receive(self, receiver: BodyReceiver) -> None:
        self._receiver = receiver

    def pause(self) -> None:
        self._tap.hold_back(wanted=True)

    def resume(self) -> None:
        self._tap.hold_back(wanted=False)

    def discard(self) -> None:
        self._receiver = None
        self.resume()

    def take(self, piece: bytes) -> None:
        if self._receiver is None:
            self.discarded_bytes += len(piece)
        else:
            self._receiver.take(piece)

    def finish(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.finish(self.trailers)

    def break_off(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.break_off()
