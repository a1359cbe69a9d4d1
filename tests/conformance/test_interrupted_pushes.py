"""Pushes that something comes between: the server's end, a deletion, or another push."""

import socket
import threading
from pathlib import Path
from typing import Any

from tests.conformance.test_image_functions import create, invoke, refused, until_settled
from tests.deployment import unique_name, wait_active
from tests.images.making import digest_of, static_image
from tests.images.pushing import ecr_beside, pushed, registry_of
from tests.live_server import LiveServer


def test_a_push_goes_on_after_a_kill_between_its_blobs_and_its_manifest(private_server: LiveServer) -> None:
    client, image = private_server.client(), static_image()
    ecr = ecr_beside(client)
    ecr.create_repository(repositoryName="killed")
    ecr.close()
    registry = registry_of(client)
    for blob in image.blobs:
        registry.put_blob("killed", blob)
    place = registry.ask("POST", "/v2/killed/blobs/uploads/").headers["location"]
    head = f"PATCH {place} HTTP/1.1\r\nHost: {registry.host}\r\nAuthorization: Basic {registry._authorization}\r\n"
    host, _, port = registry.host.partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode() + b"x" * 500_000)
        while registry.ask("GET", place).headers.get("range") == "0-0":
            pass
        private_server.kill()
    private_server.start()
    assert [path.name for path in Path(private_server.data, "tmp").iterdir() if path.name.startswith("image")] == []
    registry = registry_of(private_server.client())
    assert registry.ask("GET", place).error == "BLOB_UPLOAD_UNKNOWN"
    assert registry.put_manifest("killed", "v1", image).error == "MANIFEST_BLOB_UNKNOWN", "who brought it is forgotten"
    uri = registry.push("killed", "v1", image)
    client = private_server.client()
    create(client, "killed", uri)
    wait_active(client, "killed")
    assert invoke(client, "killed")["text"] == "lower"


def test_a_repository_that_goes_takes_no_function_with_it(lambda_client: Any) -> None:
    ecr = ecr_beside(lambda_client)
    for _ in range(2):
        repository, name = unique_name("going").lower(), unique_name("going")
        uri = pushed(lambda_client, repository, static_image())
        deleting = threading.Thread(target=ecr.delete_repository, kwargs={"repositoryName": repository, "force": True})
        create(lambda_client, name, uri)
        deleting.start()
        assert until_settled(lambda_client, name)["State"] == "Active"
        deleting.join()
        assert invoke(lambda_client, name)["text"] == "lower"
        message = f"Source image {uri} does not exist. Provide a valid source image."
        assert refused(create, client=lambda_client, name=unique_name("late"), uri=uri)[1] == message
        lambda_client.delete_function(FunctionName=name)
    ecr.close()


def test_pushes_of_the_same_image_at_once_are_one_image(lambda_client: Any) -> None:
    repository, image = unique_name("same").lower(), static_image()
    pushed(lambda_client, repository, static_image(), "first")
    registry, answers = registry_of(lambda_client), []

    def push(tag: str) -> None:
        for blob in image.blobs:
            registry.put_blob(repository, blob)
        answers.append(registry.put_manifest(repository, tag, image).status)

    threads = [threading.Thread(target=push, args=(f"v{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 8
    for blob in image.blobs:
        assert registry.ask("GET", f"/v2/{repository}/blobs/{digest_of(blob)}").body == blob
    ecr = ecr_beside(lambda_client)
    (found,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert len(found["imageTags"]) == 9
    ecr.delete_repository(repositoryName=repository, force=True)
    ecr.close()
