"""Many requests at once from one thread: all connections are open before the first request is sent."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.measure.post import Post

ANSWER_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Burst:
    """Seconds from a request's sending to its whole answer, for each; and from the first sending to the last answer."""

    seconds: list[float]
    wrong_answers: int
    total_seconds: float


def send(posts: Sequence[Post], expected: bytes) -> Burst:
    """Send all at once; an answer other than 200 with `expected` is wrong."""
    return asyncio.run(_send(posts, expected))


async def _send(posts: Sequence[Post], expected: bytes) -> Burst:
    async with asyncio.timeout(ANSWER_SECONDS):
        connections = [await _connect(post.url) for post in posts]
        texts = [_text(post) for post in posts]
        began = time.perf_counter()
        answers = await asyncio.gather(
            *(_ask(reader, writer, text, expected) for (reader, writer), text in zip(connections, texts, strict=True))
        )
        total = time.perf_counter() - began
    for _, writer in connections:
        writer.close()
    return Burst([seconds for seconds, _ in answers], sum(not right for _, right in answers), total)


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


def _text(post: Post) -> bytes:
    fields = {"Host": urlsplit(post.url).netloc, **post.headers, "Content-Length": str(len(post.body))}
    lines = [f"POST {post.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + post.body


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes, expected: bytes
) -> tuple[float, bool]:
    began = time.perf_counter()
    writer.write(text)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    right = head.startswith(b"http/1.1 200") and b"\r\nx-amz-function-error:" not in head and body == expected
    return time.perf_counter() - began, right
