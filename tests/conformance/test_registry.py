"""The built-in registry by the letter of the OCI distribution specification 1.1, and what hostile clients leave."""

import base64
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lampion.code.images.manifests import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX
from tests.deployment import unique_name
from tests.images.making import Image, Item, archive, digest_of
from tests.images.pushing import RegistryClient, ecr_beside, registry_of
from tests.live_server import LiveServer

SMALL = Image([archive(Item("data/text", b"small"))], {"Cmd": ["/bin/x"]})


@pytest.fixture(scope="module")
def registry(lambda_client: Any) -> RegistryClient:
    return registry_of(lambda_client)


@pytest.fixture(scope="module")
def ecr(lambda_client: Any) -> Iterator[Any]:
    client = ecr_beside(lambda_client)
    yield client
    client.close()


@pytest.fixture
def repository(ecr: Any) -> Iterator[str]:
    name = unique_name("team/app").lower()
    ecr.create_repository(repositoryName=name)
    yield name
    ecr.delete_repository(repositoryName=name, force=True)


@pytest.fixture
def nothing_is_left(live_server: LiveServer) -> Iterator[Callable[[], None]]:
    """Whatever came is gone again, also from where it is while it comes."""

    def listed() -> set[Path]:
        parts = (live_server.data / name for name in ("tmp", "image-content"))
        return {path for part in parts for path in part.rglob("*") if path.is_file()}

    before = listed()

    def check() -> None:
        assert listed() == before

    yield check
    check()


# -- who may --


def test_a_client_without_a_token_is_told_how_to_get_in(registry: RegistryClient) -> None:
    answer = RegistryClient(f"http://{registry.host}", None).ask("GET", "/v2/")
    assert (answer.status, answer.error) == (401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == f'Basic realm="http://{registry.host}/",service="ecr.amazonaws.com"'
    assert registry.ask("GET", "/v2/").status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic !!",
        "Bearer abc",
        "Basic " + base64.b64encode(b"AWS:nonsense").decode(),
        "Basic " + base64.b64encode(b"root:" + base64.urlsafe_b64encode(b"LKIA:99999999999:ab")).decode(),
        "Basic " + base64.b64encode(b"AWS:" + base64.urlsafe_b64encode(b"LKIA:99999999999:ab")).decode(),
    ],
)
def test_what_is_no_token_opens_nothing(registry: RegistryClient, repository: str, authorization: str) -> None:
    asked = {"Authorization": authorization}
    assert registry.ask("GET", "/v2/", **asked).status == 401
    assert registry.ask("GET", f"/v2/{repository}/tags/list", **asked).status == 401
    assert registry.ask("POST", f"/v2/{repository}/blobs/uploads/", b"x" * 100_000, **asked).status == 401
    assert registry.ask("PUT", f"/v2/{repository}/manifests/x", SMALL.manifest, **asked).status == 401


def test_a_token_is_good_for_12_hours_and_for_its_own_registry(ecr: Any, registry: RegistryClient) -> None:
    (data,) = ecr.get_authorization_token()["authorizationData"]
    assert data["proxyEndpoint"] == f"http://{registry.host}"
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    raw = base64.urlsafe_b64decode(password)
    expires = str(int(data["expiresAt"].timestamp())).encode()
    assert (user, raw.count(expires)) == ("AWS", 1)
    longer = base64.urlsafe_b64encode(raw.replace(expires, str(int(expires) + 1).encode()))
    forged = base64.b64encode(b"AWS:" + longer).decode()
    assert registry.ask("GET", "/v2/", Authorization=f"Basic {forged}").status == 401
    other = "210987654321.dkr.ecr.us-east-1.localhost"
    assert registry.ask("GET", "/v2/", Host=other).error == "DENIED"
    assert registry.ask("GET", "/v2/", Host="123456789012.dkr.ecr.us-east-1.localhost").status == 200


# -- uploads --


def test_a_blob_comes_in_one_request_in_two_or_in_many(registry: RegistryClient, repository: str) -> None:
    uploads = f"/v2/{repository}/blobs/uploads/"
    whole = registry.ask("POST", f"{uploads}?digest={digest_of(b'one')}", b"one")
    assert (whole.status, whole.headers["location"]) == (201, f"/v2/{repository}/blobs/{digest_of(b'one')}")
    registry.put_blob(repository, b"two")

    begun = registry.ask("POST", uploads)
    place = begun.headers["location"]
    assert (begun.status, begun.headers["range"]) == (202, "0-0")
    first = registry.ask("PATCH", place, b"abc", content_range="0-2")
    assert (first.status, first.headers["range"], first.headers["location"]) == (202, "0-2", place)
    again = registry.ask("PATCH", place, b"abc", content_range="0-2")
    assert (again.status, again.headers["range"]) == (416, "0-2")
    assert registry.ask("GET", place).headers["range"] == "0-2"
    assert registry.ask("PATCH", place, iter([b"d", b"ef"])).headers["range"] == "0-5"
    done = registry.ask("PUT", f"{place}?digest={digest_of(b'abcdefgh')}", b"gh")
    assert (done.status, done.headers["docker-content-digest"]) == (201, digest_of(b"abcdefgh"))
    assert registry.ask("GET", place).error == "BLOB_UPLOAD_UNKNOWN"
    assert registry.ask("GET", f"/v2/{repository}/blobs/{digest_of(b'abcdefgh')}").body == b"abcdefgh"


def test_content_that_is_not_what_its_digest_says_is_dropped(
    registry: RegistryClient, repository: str, nothing_is_left: Callable[[], None]
) -> None:
    uploads, digest = f"/v2/{repository}/blobs/uploads/", digest_of(b"right")
    assert registry.ask("POST", f"{uploads}?digest={digest}", b"wrong").error == "DIGEST_INVALID"
    nothing_is_left()
    place = registry.ask("POST", uploads).headers["location"]
    assert registry.ask("PUT", f"{place}?digest={digest}", b"wrong").error == "DIGEST_INVALID"
    assert registry.ask("GET", place).status == 404
    assert registry.ask("HEAD", f"/v2/{repository}/blobs/{digest}").status == 404
    for named in ("sha256:abc", "sha512:" + "a" * 128, "md5:x", ""):
        place = registry.ask("POST", uploads).headers["location"]
        assert registry.ask("PUT", f"{place}?digest={named}", b"x").error == "DIGEST_INVALID"
        assert registry.ask("DELETE", place).status == 204
        assert registry.ask("DELETE", place).status == 404


def test_nothing_of_an_upload_that_breaks_off_is_left(
    registry: RegistryClient, repository: str, nothing_is_left: Callable[[], None]
) -> None:
    place = registry.ask("POST", f"/v2/{repository}/blobs/uploads/").headers["location"]
    head = f"PATCH {place} HTTP/1.1\r\nHost: {registry.host}\r\nAuthorization: Basic {registry._authorization}\r\n"
    host, _, port = registry.host.partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode() + b"x" * 300_000)
    for _ in range(100):
        if registry.ask("GET", place).status == 404:
            break
    assert registry.ask("GET", place).error == "BLOB_UPLOAD_UNKNOWN"


def test_an_upload_is_of_one_repository(registry: RegistryClient, repository: str, ecr: Any) -> None:
    other = unique_name("other").lower()
    ecr.create_repository(repositoryName=other)
    place = registry.ask("POST", f"/v2/{repository}/blobs/uploads/").headers["location"]
    assert registry.ask("PATCH", place.replace(repository, other), b"x").error == "BLOB_UPLOAD_UNKNOWN"
    assert registry.ask("DELETE", place).status == 204
    ecr.delete_repository(repositoryName=other)


def test_a_repository_that_is_not_there_takes_nothing(registry: RegistryClient) -> None:
    assert registry.ask("POST", "/v2/nobody/blobs/uploads/").error == "NAME_UNKNOWN"
    assert registry.ask("POST", f"/v2/nobody/blobs/uploads/?digest={digest_of(b'x')}", b"x").error == "NAME_UNKNOWN"
    assert registry.put_manifest("nobody", "x", SMALL).error == "NAME_UNKNOWN"
    assert registry.ask("GET", "/v2/nobody/tags/list").error == "NAME_UNKNOWN"


# -- blobs --


def test_a_blob_is_had_whole_in_part_or_by_its_size_alone(registry: RegistryClient, repository: str) -> None:
    data = bytes(range(256)) * 4096
    path = f"/v2/{repository}/blobs/{registry.put_blob(repository, data)}"
    head = registry.ask("HEAD", path)
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(data)), b"")
    assert head.headers["docker-content-digest"] == digest_of(data)
    assert registry.ask("HEAD", path, Range="bytes=0-9").headers["content-length"] == str(len(data))
    assert "content-range" not in registry.ask("HEAD", path, Range="bytes=0-9").headers
    assert registry.ask("GET", path).body == data
    for header, expected in (
        ("bytes=0-9", data[:10]),
        ("bytes=100-", data[100:]),
        ("bytes=-5", data[-5:]),
        (f"bytes={len(data) - 1}-{len(data) + 10}", data[-1:]),
    ):
        part = registry.ask("GET", path, Range=header)
        assert (part.status, part.body) == (206, expected)
        assert part.headers["content-range"].endswith(f"/{len(data)}")
    assert registry.ask("GET", path, Range=f"bytes={len(data)}-").status == 416
    assert registry.ask("GET", path, Range="lines=1-2").body == data


def test_a_repository_shows_its_own_blobs_only_until_they_are_mounted(
    registry: RegistryClient, repository: str, ecr: Any
) -> None:
    other = unique_name("other").lower()
    ecr.create_repository(repositoryName=other)
    digest = registry.put_blob(repository, b"mine")
    assert registry.ask("HEAD", f"/v2/{other}/blobs/{digest}").status == 404
    uploads = f"/v2/{other}/blobs/uploads/"
    assert registry.ask("POST", f"{uploads}?mount={digest}&from=nobody").status == 202
    assert registry.ask("POST", f"{uploads}?mount={digest_of(b'none')}&from={repository}").status == 202
    mounted = registry.ask("POST", f"{uploads}?mount={digest}&from={repository}")
    assert (mounted.status, mounted.headers["location"]) == (201, f"/v2/{other}/blobs/{digest}")
    assert registry.ask("GET", f"/v2/{other}/blobs/{digest}").body == b"mine"
    ecr.delete_repository(repositoryName=other)


# -- manifests --


@pytest.mark.parametrize("media_type", [SMALL.media_type, DOCKER_MANIFEST])
def test_an_image_is_had_by_its_tag_and_its_digest(registry: RegistryClient, repository: str, media_type: str) -> None:
    image = Image(SMALL.archives, SMALL.run, media_type=media_type)
    registry.push(repository, "v1.0_x-Y", image)
    for reference in ("v1.0_x-Y", image.digest):
        path = f"/v2/{repository}/manifests/{reference}"
        answer, head = registry.ask("GET", path), registry.ask("HEAD", path)
        assert (answer.status, answer.body, answer.headers["content-type"]) == (200, image.manifest, media_type)
        assert head.headers["content-length"] == str(len(image.manifest))
        assert answer.headers["docker-content-digest"] == head.headers["docker-content-digest"] == image.digest
    assert registry.put_manifest(repository, image.digest, image).status == 201
    assert registry.put_manifest(repository, digest_of(b"other"), image).error == "DIGEST_INVALID"


def test_a_manifest_is_refused_until_all_its_parts_are_there(registry: RegistryClient, repository: str) -> None:
    image = Image([archive(Item("new", b"never pushed"))])
    assert registry.put_manifest(repository, "v1", image).error == "MANIFEST_BLOB_UNKNOWN"
    for blob in image.blobs:
        registry.put_blob(repository, blob)
    assert registry.put_manifest(repository, "v1", image).status == 201


def test_an_index_names_images_of_its_repository(registry: RegistryClient, repository: str) -> None:
    registry.push(repository, "single", SMALL)
    entry = {"mediaType": SMALL.media_type, "digest": SMALL.digest, "size": len(SMALL.manifest)}
    path = f"/v2/{repository}/manifests/multi"
    for media_type in (OCI_INDEX, DOCKER_LIST):
        index = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": [entry]}).encode()
        assert registry.ask("PUT", path, index, content_type=media_type).status == 201
        assert registry.ask("GET", path).headers["content-type"] == media_type
    wrong = json.dumps({"schemaVersion": 2, "manifests": [{**entry, "digest": digest_of(b"x")}]}).encode()
    assert registry.ask("PUT", path, wrong, content_type=OCI_INDEX).error == "MANIFEST_BLOB_UNKNOWN"


NO_MANIFESTS = {
    "no JSON": b"{",
    "no object": b"[]",
    "no UTF-8": b'{"schemaVersion":2,"mediaType":"\xff"}',
    "version 1": b'{"schemaVersion":1}',
    "an unknown type": b'{"schemaVersion":2,"mediaType":"text/plain","config":{},"layers":[]}',
    "no layers": b'{"schemaVersion":2,"config":{"mediaType":"x","digest":"sha256:%s","size":1}}' % (b"a" * 64),
    "a digest that is a path": b'{"schemaVersion":2,"config":{"digest":"../../x","size":1},"layers":[]}',
    "a negative size": b'{"schemaVersion":2,"config":{"digest":"sha256:%s","size":-1},"layers":[]}' % (b"a" * 64),
    "nesting without end": b"[" * 100_000,
    "nesting where nobody looks": b'{"schemaVersion":2,"x":' + b"[" * 100_000,
}


@pytest.mark.parametrize("data", NO_MANIFESTS.values(), ids=NO_MANIFESTS)
def test_what_is_no_manifest_is_refused(registry: RegistryClient, repository: str, data: bytes) -> None:
    answer = registry.ask("PUT", f"/v2/{repository}/manifests/x", data, content_type=SMALL.media_type)
    assert (answer.status, answer.error) == (400, "MANIFEST_INVALID")
    assert registry.ask("GET", f"/v2/{repository}/manifests/x").error == "MANIFEST_UNKNOWN"


def test_a_manifest_that_is_too_large_is_refused(registry: RegistryClient, repository: str) -> None:
    data = b" " * (4 * 1024 * 1024 + 1)
    answer = registry.ask("PUT", f"/v2/{repository}/manifests/x", data, content_type=SMALL.media_type)
    assert answer.status == 413


def test_a_size_that_is_not_the_blobs_is_refused(registry: RegistryClient, repository: str) -> None:
    registry.push(repository, "right", SMALL)
    manifest = json.loads(SMALL.manifest)
    manifest["layers"][0]["size"] += 1
    data = json.dumps(manifest).encode()
    answer = registry.ask("PUT", f"/v2/{repository}/manifests/wrong", data, content_type=SMALL.media_type)
    assert answer.error == "MANIFEST_INVALID"


def test_deleting_takes_a_tag_or_an_image_with_all_its_tags(registry: RegistryClient, repository: str) -> None:
    for tag in ("a", "b", "c"):
        registry.push(repository, tag, SMALL)
    path = f"/v2/{repository}/manifests"
    assert registry.ask("DELETE", f"{path}/a").status == 202
    assert registry.ask("DELETE", f"{path}/a").error == "MANIFEST_UNKNOWN"
    assert json.loads(registry.ask("GET", f"/v2/{repository}/tags/list").body)["tags"] == ["b", "c"]
    assert registry.ask("DELETE", f"{path}/{SMALL.digest}").status == 202
    assert json.loads(registry.ask("GET", f"/v2/{repository}/tags/list").body)["tags"] == []
    assert registry.ask("GET", f"{path}/{SMALL.digest}").status == 404


def test_tags_come_page_by_page(registry: RegistryClient, repository: str) -> None:
    for tag in ("e", "c", "a", "d", "b"):
        registry.push(repository, tag, SMALL)
    path, found = f"/v2/{repository}/tags/list?n=2", []
    while path:
        answer = registry.ask("GET", path)
        page = json.loads(answer.body)
        assert page["name"] == repository
        found.append(page["tags"])
        path = answer.headers.get("link", "").partition(">")[0].lstrip("<")
    assert found == [["a", "b"], ["c", "d"], ["e"]]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v2/app/nothing", "UNSUPPORTED"),
        ("GET", "/v2/App/tags/list", "NAME_INVALID"),
        ("GET", "/v2/a/../b/tags/list", "NAME_INVALID"),
        ("GET", "/v2/a%2f..%2f..%2fb/tags/list", "NAME_INVALID"),
        ("GET", "/v2/app/blobs/sha256:x", "DIGEST_INVALID"),
        ("GET", "/v2/app/blobs/sha256:%2e%2e", "DIGEST_INVALID"),
        ("GET", "/v2/app/manifests/-x", "TAG_INVALID"),
        ("DELETE", f"/v2/app/blobs/{digest_of(b'')}", "UNSUPPORTED"),
        ("POST", "/v2/app/tags/list", "UNSUPPORTED"),
        ("GET", "/v2/app/blobs/uploads/", "UNSUPPORTED"),
    ],
)
def test_what_nobody_offers_is_said_in_the_specifications_form(
    registry: RegistryClient, method: str, path: str, code: str
) -> None:
    answer = registry.ask(method, path)
    assert answer.status in (400, 404, 405)
    assert answer.error == code
