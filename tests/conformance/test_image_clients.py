"""Images on their usual ways: pushed by skopeo, loaded from files, and taken from a registry elsewhere."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lampion.code.images.manifests import OCI_INDEX
from tests.conformance.test_image_functions import create, invoke, refused
from tests.conformance.test_tls import CERTIFICATE, PAIR
from tests.deployment import unique_name, wait_active
from tests.images.making import Image, digest_of, static_image, write_layout
from tests.images.pushing import ecr_beside, pushed, registry_of
from tests.live_server import LiveServer, clean_environ

pytestmark = pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo isn't installed")


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """The static image as an OCI layout."""
    return write_layout(static_image(), tmp_path / "layout")


@pytest.fixture
def logins(live_server: LiveServer, tmp_path: Path) -> Path:
    """What `skopeo login` would have written, made by it."""
    ecr = live_server.client("ecr")
    (data,) = ecr.get_authorization_token()["authorizationData"]
    ecr.close()
    file = tmp_path / "auth.json"
    file.write_text(json.dumps({"auths": {host(live_server): {"auth": data["authorizationToken"]}}}))
    return file


def host(server: LiveServer) -> str:
    return server.url.removeprefix("http://")


def skopeo(*arguments: str | Path) -> str:
    command = ["skopeo", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def lampion(server: LiveServer, *arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lampion", *map(str, arguments), "--data", str(server.data)]
    variables = {**clean_environ(), **environ}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=variables)


@pytest.mark.parametrize("form", ["oci", "v2s2"])
def test_skopeo_pushes_and_pulls(
    lambda_client: Any, live_server: LiveServer, logins: Path, layout: Path, form: str
) -> None:
    repository, name = unique_name("pushed").lower(), unique_name("pushed")
    ecr = ecr_beside(lambda_client)
    ecr.create_repository(repositoryName=repository)
    place = f"{host(live_server)}/{repository}:v1"
    skopeo(
        "copy", "--format", form, "--dest-tls-verify=false", "--authfile", logins, f"oci:{layout}", f"docker://{place}"
    )
    told = json.loads(skopeo("inspect", "--tls-verify=false", "--authfile", logins, f"docker://{place}"))
    skopeo(
        "copy", "--src-tls-verify=false", "--authfile", logins, f"docker://{place}", f"dir:{layout.parent / 'pulled'}"
    )
    (image,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert (told["Digest"], told["RepoTags"]) == (image["imageDigest"], image["imageTags"])
    created = create(lambda_client, name, place)
    assert f"sha256:{created['CodeSha256']}" == told["Digest"]
    wait_active(lambda_client, name)
    assert invoke(lambda_client, name)["text"] == "lower"
    lambda_client.delete_function(FunctionName=name)
    ecr.close()


@pytest.mark.parametrize("form", ["oci", "oci-archive", "docker-archive"])
def test_an_image_is_loaded_from_a_file(
    lambda_client: Any, live_server: LiveServer, tmp_path: Path, layout: Path, form: str
) -> None:
    source, name = layout, unique_name("loaded")
    if form != "oci":
        source = tmp_path / "image.tar"
        skopeo("copy", f"oci:{layout}", f"{form}:{source}")
    loaded = lampion(live_server, "image", "load", source, "--as", f"loaded/{form}:v1")
    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert loaded.stdout == f"{host(live_server)}/loaded/{form}:v1\n"
    create(lambda_client, name, loaded.stdout.strip())
    wait_active(lambda_client, name)
    assert invoke(lambda_client, name)["text"] == "lower"
    lambda_client.delete_function(FunctionName=name)


def test_authorities_for_other_hosts_keep_no_image_from_a_server_without_tls(
    live_server: LiveServer, layout: Path
) -> None:
    """A machine behind a proxy has AWS_CA_BUNDLE set for all of AWS's clients."""
    command = [sys.executable, "-m", "lampion", "image", "load", str(layout), "--as", "loaded/proxied:v1"]
    environ = {**live_server.aws_environ(), "AWS_CA_BUNDLE": str(CERTIFICATE)}
    loaded = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environ)
    assert (loaded.returncode, loaded.stderr) == (0, "")


def test_a_file_of_several_images_gives_the_one_that_is_asked_for(
    lambda_client: Any, live_server: LiveServer, layout: Path
) -> None:
    own, other = static_image(), replace(static_image(), architecture="arm64")
    data = index_of([entry(other, "arm64"), entry(own, "amd64")])
    for blob in (data, other.manifest, *other.blobs):
        (layout / "blobs" / "sha256" / digest_of(blob).removeprefix("sha256:")).write_bytes(blob)
    index = {"mediaType": OCI_INDEX, "digest": digest_of(data), "size": len(data)}
    (layout / "index.json").write_bytes(index_of([index]))
    ecr = ecr_beside(lambda_client)
    for architecture, image in (("x86_64", own), ("arm64", other)):
        loaded = lampion(
            live_server, "image", "load", layout, "--as", f"several:{architecture}", "--architecture", architecture
        )
        assert (loaded.returncode, loaded.stderr) == (0, "")
        (found,) = ecr.describe_images(repositoryName="several", imageIds=[{"imageTag": architecture}])["imageDetails"]
        assert found["imageDigest"] == image.digest
    ecr.close()


def test_a_servers_own_certificate_is_trusted(start_server: Callable[..., LiveServer], layout: Path) -> None:
    server = start_server(*PAIR)
    loaded = lampion(server, "image", "load", layout, "--as", "secret/app")
    assert (loaded.stdout, loaded.stderr) == (f"{server.url.removeprefix('https://')}/secret/app:latest\n", "")


def test_a_machine_without_skopeo_is_told_by_the_doctor(live_server: LiveServer, tmp_path: Path, layout: Path) -> None:
    environ = {"PATH": str(tmp_path)}
    doctor = json.loads(lampion(live_server, "doctor", "--json", **environ).stdout)
    (finding,) = [one for one in doctor["findings"] if one["name"] == "skopeo"]
    assert finding["mend"] == "apt-get install skopeo"
    refused = lampion(live_server, "image", "load", layout, "--as", "missing", **environ)
    assert (refused.returncode, "apt-get install skopeo" in refused.stderr) == (2, True)


def test_what_is_no_image_is_not_loaded(live_server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive")
    (tmp_path / "folder").mkdir()
    with tmp_path.joinpath("empty.tar").open("wb") as file:
        file.write(bytes(10240))
    for source, problem in (("text", "can't be read"), ("folder", "oci-layout"), ("empty.tar", "manifest.json")):
        refused = lampion(live_server, "image", "load", tmp_path / source, "--as", "x")
        assert (refused.returncode, problem in refused.stderr) == (2, True)
    refused = lampion(live_server, "image", "load", tmp_path, "--as", "Upper:case")
    assert (refused.returncode, "no name for an image" in refused.stderr) == (2, True)


def test_an_image_of_another_registry_is_taken_with_its_logins(
    live_server: LiveServer, lambda_client: Any, start_server: Callable[..., LiveServer], logins: Path
) -> None:
    """The other registry is the shared server's."""
    theirs = pushed(lambda_client, "elsewhere", static_image(), "v1")
    elsewhere = host(live_server)
    taking = start_server("--image-registry", f"http://{elsewhere}", "--image-logins", str(logins))
    client = taking.client()
    created = create(client, "taken", theirs)
    assert (created["State"], created["CodeSha256"]) == ("Pending", static_image().digest.removeprefix("sha256:"))
    wait_active(client, "taken")
    assert invoke(client, "taken")["text"] == "lower"
    resolved = client.get_function(FunctionName="taken")["Code"]["ResolvedImageUri"]
    assert resolved == f"{elsewhere}/elsewhere@{static_image().digest}"

    absent = f"{elsewhere}/elsewhere:v2"
    message = f"Source image {absent} does not exist. Provide a valid source image."
    answer = refused(create, client=client, name="absent", uri=absent)
    assert answer == ("InvalidParameterValueException", message)
    assert sorted(path.name for path in (taking.data / "tmp").iterdir()) == []


def test_an_index_elsewhere_gives_the_image_of_the_functions_architecture(
    live_server: LiveServer, lambda_client: Any, start_server: Callable[..., LiveServer], logins: Path
) -> None:
    own, other = static_image(), replace(static_image(), architecture="arm64")
    for tag, image in (("own", own), ("other", other)):
        pushed(lambda_client, "many", image, tag)
    entries = [entry(other, "arm64"), entry(own, "amd64"), entry(own, "unknown")]
    put_index(lambda_client, "many", "all", entries)
    put_index(lambda_client, "many", "none", entries[2:])
    put_index(lambda_client, "many", "nested", [nested(entries)])
    place = f"{host(live_server)}/many"
    taking = start_server("--image-registry", f"http://{host(live_server)}", "--image-logins", str(logins))
    client = taking.client()
    assert create(client, "own", f"{place}:all")["CodeSha256"] == own.digest.removeprefix("sha256:")
    wait_active(client, "own")
    assert invoke(client, "own")["text"] == "lower"
    resolved = client.get_function(FunctionName="own")["Code"]
    assert (resolved["ImageUri"], resolved["ResolvedImageUri"]) == (f"{place}:all", f"{place}@{own.digest}")
    created = create(client, "other", f"{place}:all", Architectures=["arm64"])
    assert created["CodeSha256"] == other.digest.removeprefix("sha256:")
    changed = client.update_function_code(FunctionName="own", ImageUri=f"{place}:all", Architectures=["arm64"])
    assert changed["CodeSha256"] == created["CodeSha256"]
    for uri in (f"{place}:none", f"{place}:nested"):
        message = f"The image manifest, config or layer media type for the source image {uri} is not supported."
        answer = refused(create, client=client, name="refused", uri=uri)
        assert answer == ("InvalidParameterValueException", message)


def entry(image: Image, architecture: str) -> dict[str, Any]:
    about = {"mediaType": image.media_type, "digest": image.digest, "size": len(image.manifest)}
    return {**about, "platform": {"architecture": architecture, "os": "linux"}}


def index_of(entries: list[dict[str, Any]]) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()


def nested(entries: list[dict[str, Any]]) -> dict[str, Any]:
    data = index_of(entries)
    platform = {"architecture": "amd64", "os": "linux"}
    return {"mediaType": OCI_INDEX, "digest": digest_of(data), "size": len(data), "platform": platform}


def put_index(client: Any, repository: str, tag: str, entries: list[dict[str, Any]]) -> None:
    path = f"/v2/{repository}/manifests/{tag}"
    assert registry_of(client).ask("PUT", path, index_of(entries), content_type=OCI_INDEX).status == 201


def test_a_registry_that_wants_a_login_is_no_ones_fault_but_told(
    lambda_client: Any, live_server: LiveServer, start_server: Callable[..., LiveServer]
) -> None:
    theirs = pushed(lambda_client, "closed", static_image(), "v1")
    client = start_server("--image-registry", f"http://{host(live_server)}").client()
    answer = refused(create, client=client, name="closed", uri=theirs)
    message = "Lambda does not have permission to access the ECR image. Check the ECR permissions."
    assert answer == ("AccessDeniedException", message)


def test_an_image_that_cannot_be_had_any_more_makes_the_function_fail(
    lambda_client: Any, live_server: LiveServer, start_server: Callable[..., LiveServer], logins: Path
) -> None:
    """Its manifest was there when it was named; its layers are gone when they are wanted."""
    image = static_image()
    theirs = pushed(lambda_client, "gone", image, "v1")
    taking = start_server("--image-registry", f"http://{host(live_server)}", "--image-logins", str(logins))
    client = taking.client()
    create(client, "first", theirs)
    wait_active(client, "first")
    taking.stop()
    ecr = ecr_beside(lambda_client)
    ecr.delete_repository(repositoryName="gone", force=True)
    ecr.close()
    for part in ("image-content", "images"):
        shutil.rmtree(taking.data / part)
    taking.start()
    client = taking.client()
    client.update_function_configuration(FunctionName="first", Description="changed")
    for _ in range(400):
        found = client.get_function_configuration(FunctionName="first")
        if found["LastUpdateStatus"] != "InProgress":
            break
    assert (found["LastUpdateStatus"], found["LastUpdateStatusReasonCode"]) == ("Failed", "ImageAccessDenied")
    assert "does not exist" in found["LastUpdateStatusReason"]
