"""A client of the distribution API, as small as tests want it: each request is seen, and none is retried."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3

from tests.images.making import Image, digest_of


@dataclass(frozen=True)
class Answer:
    """Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> str:
        """The first error's code."""
        code: str = json.loads(self.body)["errors"][0]["code"]
        return code


class RegistryClient:
    """Speaks to the registry at `url` with what GetAuthorizationToken gave, or without (None)."""

    def __init__(self, url: str, authorization: str | None) -> None:
        self.host = urlsplit(url).netloc
        self._authorization = authorization

    def ask(self, method: str, path: str, body: Any = b"", **headers: str) -> Answer:
        """`content_type="..."` for a header Content-Type. An iterable body is sent in chunks."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._authorization is not None:
            named.setdefault("Authorization", f"Basic {self._authorization}")
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, path, body=body, headers=named, encode_chunked=not isinstance(body, bytes))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def put_blob(self, repository: str, data: bytes) -> str:
        begun = self.ask("POST", f"/v2/{repository}/blobs/uploads/")
        assert begun.status == 202, begun
        done = self.ask("PUT", f"{begun.headers['location']}?digest={digest_of(data)}", data)
        assert done.status == 201, done
        return digest_of(data)

    def put_manifest(self, repository: str, reference: str, image: Image) -> Answer:
        path = f"/v2/{repository}/manifests/{reference}"
        return self.ask("PUT", path, image.manifest, content_type=image.media_type)

    def push(self, repository: str, tag: str, image: Image) -> str:
        """An image's URI. As clients do, what the repository has isn't brought again."""
        for blob in image.blobs:
            if self.ask("HEAD", f"/v2/{repository}/blobs/{digest_of(blob)}").status != 200:
                self.put_blob(repository, blob)
        answer = self.put_manifest(repository, tag, image)
        assert answer.status == 201, answer
        return f"{self.host}/{repository}:{tag}"


def ecr_beside(client: Any) -> Any:
    """ECR at the server of another client, with its key."""
    key = client._request_signer._credentials
    return boto3.session.Session().client(
        "ecr",
        endpoint_url=client.meta.endpoint_url,
        region_name=client.meta.region_name,
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
    )


def registry_of(client: Any) -> RegistryClient:
    """For whoever has this client of a server."""
    ecr = ecr_beside(client)
    try:
        (data,) = ecr.get_authorization_token()["authorizationData"]
        return RegistryClient(client.meta.endpoint_url, data["authorizationToken"])
    finally:
        ecr.close()


def pushed(client: Any, repository: str, image: Image, tag: str = "latest") -> str:
    """The URI of an image in a repository that is made if it is missing, at the server of a client."""
    ecr = ecr_beside(client)
    try:
        ecr.create_repository(repositoryName=repository)
    except ecr.exceptions.RepositoryAlreadyExistsException:
        pass
    finally:
        ecr.close()
    return registry_of(client).push(repository, tag, image)
