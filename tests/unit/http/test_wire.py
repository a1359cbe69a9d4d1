"""Answers as bytes: whatever form their headers have, and never with the date of another second."""

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.http.message import Headers, Response
from lampion.http.wire import ResponseWriter

FIRST = "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
NEXT = "Date: Fri, 15 Jan 2027 08:00:01 GMT\r\n"


def rendered(writer: ResponseWriter, response: Response, *, close: bool = False, head_only: bool = False) -> str:
    return b"".join(writer.render(response, close=close, head_only=head_only)).decode("latin-1")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"A": "1", "B": "\xe9"}, id="a table"),
        pytest.param([("A", "1"), ("B", "\xe9")], id="pairs"),
        pytest.param("A: 1\r\nB: \xe9\r\n", id="lines that are ready"),
    ],
)
def test_headers_are_sent_as_spelled_in_whichever_form_they_come(headers: Headers) -> None:
    answer = rendered(ResponseWriter(VirtualClock()), Response(200, b"body", headers))
    assert answer == f"HTTP/1.1 200 OK\r\n{FIRST}A: 1\r\nB: \xe9\r\nContent-Length: 4\r\n\r\nbody"


@pytest.mark.parametrize("status", [200, 404, 299])
async def test_every_status_bears_the_date_of_its_second(status: int) -> None:
    clock = VirtualClock()
    writer = ResponseWriter(clock)
    assert FIRST in rendered(writer, Response(200))
    assert FIRST in rendered(writer, Response(status))
    await clock.advance(1)
    assert NEXT in rendered(writer, Response(status))
    assert NEXT in rendered(writer, Response(200))


@pytest.mark.parametrize(
    ("response", "start", "end"),
    [
        (Response(299, b"own"), "HTTP/1.1 299 Status\r\n", "Content-Length: 3\r\nConnection: close\r\n\r\nown"),
        (Response(204, b"no body"), "HTTP/1.1 204 No Content\r\n", f"{FIRST}Connection: close\r\n\r\n"),
        (Response(304, b"no body"), "HTTP/1.1 304 Not Modified\r\n", f"{FIRST}Connection: close\r\n\r\n"),
    ],
)
def test_the_frame_is_the_servers_own(response: Response, start: str, end: str) -> None:
    answer = rendered(ResponseWriter(VirtualClock()), response, close=True)
    assert answer.startswith(start)
    assert answer.endswith(end)


def test_a_head_alone_tells_the_length_of_what_it_leaves_out() -> None:
    answer = rendered(ResponseWriter(VirtualClock()), Response(200, b"body"), head_only=True)
    assert answer.endswith("Content-Length: 4\r\n\r\n")
