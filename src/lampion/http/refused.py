"""What a connection raises where it can't go on with a request."""

from lampion.http.message import JSON, Response


class Refused(Exception):
    """Malformed or oversized: answer with `status` and close."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = Response(status, b'{"message":"%s"}' % message.encode(), {"Content-Type": JSON}, close=True)
