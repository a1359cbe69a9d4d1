"""Registries elsewhere that lie or break off: the function isn't made, or fails with a reason, and nothing is left."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.conformance.test_image_clients import pytestmark as needs_skopeo
from tests.conformance.test_image_functions import create, refused, until_settled
from tests.deployment import unique_name
from tests.images.making import Image, Item, archive, digest_of, static_image
from tests.live_server import LiveServer, marked_directory

pytestmark = needs_skopeo


class Registry(http.server.BaseHTTPRequestHandler):
    """Has one image; `lie` answers a request in its place, if it returns True."""

    protocol_version = "HTTP/1.1"
    image: ClassVar[Image]
    lie: Callable[["Registry"], bool]

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if type(self).lie(self):
            return
        if "/manifests/" in self.path:
            self.give(self.image.manifest, self.image.media_type)
        else:
            self.give(next((blob for blob in self.image.blobs if digest_of(blob) in self.path), b"{}"))

    def give(self, data: bytes, media_type: str = "application/octet-stream", *, promised: int = 0) -> bool:
        """More may be promised than comes."""
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(promised or len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = promised > 0
        return True

    def redirect(self, place: str) -> bool:
        self.send_response(307)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True


@contextmanager
def registry(made: type[Registry]) -> Iterator[str]:
    """Its host."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), made)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Taking:
    """A server that takes images from a registry."""

    server: LiveServer
    client: Any
    registry: type[Registry]
    host: str

    def left(self) -> list[str]:
        names = [path.name for path in Path(self.server.data, "tmp").iterdir()]
        return [name for name in names if name.startswith(("pulled", "image"))]

    def create(self, number: int) -> str:
        """A function whose image is another one than all before."""
        self.registry.image = static_image(archive(Item("number", str(number).encode())))
        name = unique_name("lie")
        create(self.client, name, f"{self.host}/app:v{number}")
        return name


@pytest.fixture(scope="module")
def taking() -> Iterator[Taking]:
    with registry(Registry) as host, marked_directory() as directory:
        server = LiveServer(data=directory / "taking", options=("--image-registry", f"http://{host}"))
        with server:
            client = server.client()
            yield Taking(server, client, Registry, host)
            client.close()


def honest(_: Registry) -> bool:
    return False


def on(part: str, answer: Callable[[Registry], bool]) -> Callable[[Registry], bool]:
    return lambda asked: part in asked.path and answer(asked)


SCHEMA_1 = b'{"schemaVersion":1,"name":"a","tag":"b","architecture":"amd64","fsLayers":[],"history":[]}'
AT_ONCE = {
    "schema 1": (
        on("/manifests/", lambda asked: asked.give(SCHEMA_1, "application/vnd.docker.distribution.manifest.v1+json")),
        *("InvalidParameterValueException", "is not supported"),
    ),
    "no manifest": (
        on("/manifests/", lambda asked: asked.give(b"<html>")),
        *("InvalidParameterValueException", "is not supported"),
    ),
    "a manifest that breaks off": (
        on("/manifests/", lambda asked: asked.give(b"{", promised=100)),
        *("ServiceException", "unexpected EOF"),
    ),
    "a manifest of 20 MB": (
        on("/manifests/", lambda asked: asked.give(b"{" + b" " * 20_000_000)),
        *("ServiceException", "exceeded maximum allowed size"),
    ),
    "a way round and round": (
        on("/manifests/", lambda asked: asked.redirect(asked.path)),
        *("ServiceException", "stopped after 10 redirects"),
    ),
}
LATER = {
    "a layer that breaks off": (on("/blobs/", lambda asked: asked.give(b"x", promised=1000)), "unexpected EOF"),
    "another layer": (on("/blobs/", lambda asked: asked.give(b"x" * 1000)), "Digest did not match"),
    "a layer that is nowhere": (on("/blobs/", lambda asked: asked.redirect(asked.path)), "stopped after 10 redirects"),
}


@pytest.mark.parametrize(("lie", "code", "words"), AT_ONCE.values(), ids=AT_ONCE)
def test_what_is_told_of_an_image_is_not_believed(
    taking: Taking, lie: Callable[[Registry], bool], code: str, words: str
) -> None:
    taking.registry.lie = staticmethod(lie)
    told = refused(taking.create, number=0)
    assert (told[0], words in told[1]) == (code, True), told
    assert "level=fatal" not in told[1]
    assert taking.left() == []


@pytest.mark.parametrize(("lie", "words"), LATER.values(), ids=LATER)
def test_what_comes_of_an_image_is_not_believed(taking: Taking, lie: Callable[[Registry], bool], words: str) -> None:
    taking.registry.lie = staticmethod(lie)
    failed = until_settled(taking.client, taking.create(list(LATER.values()).index((lie, words))))
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "ImageAccessDenied")
    assert words in failed["StateReason"]
    assert taking.left() == []


def test_layers_may_be_elsewhere(taking: Taking) -> None:
    with registry(type("Other", (Registry,), {"lie": staticmethod(honest)})) as elsewhere:
        lie = on("/blobs/", lambda asked: asked.redirect(f"http://{elsewhere}{asked.path}"))
        taking.registry.lie = staticmethod(lie)
        assert until_settled(taking.client, taking.create(100))["State"] == "Active"
