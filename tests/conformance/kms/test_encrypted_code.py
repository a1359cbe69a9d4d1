"""Code with a SourceKMSKeyArn, with boto3: never plain on disk; who may run it, and who may see it."""

import base64
import hashlib
import io
import json
import os
import shutil
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lampion.code.memory_place import why_not
from tests.conformance.kms.clients import Clients, allow, clients_of, policy
from tests.conformance.refusals import refusal
from tests.deployment import arn_of, creation, unique_name, wait_active, wait_updated
from tests.live_server import LiveServer

MARKER = "marker-of-a-customer"
SOURCE = f"SECRET = '{MARKER}'\n\ndef handler(event, context):\n    return SECRET[:6]\n"
SECOND = SOURCE.replace("SECRET[:6]", "'second'")
IN_MEMORY = Path("/dev/shm")
DRIVERS = {
    "namespace": ("--sandbox", "namespace"),
    "process": ("--sandbox", "process"),
    "crun": ("--sandbox", "oci", "--oci-runtime", "crun"),
}


def stored(source: str) -> bytes:
    """A zip in which what is in it can be read."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in (("index.py", source), (f"{MARKER}.txt", MARKER)):
            archive.writestr(zipfile.ZipInfo(name, date_time=(2024, 1, 1, 0, 0, 0)), content)
    assert MARKER.encode() in buffer.getvalue()
    return buffer.getvalue()


def encrypted(client: Any, key: Any, source: str = SOURCE, **members: Any) -> str:
    name = unique_name("encrypted")
    code = {"ZipFile": stored(source), "SourceKMSKeyArn": key["Arn"]}
    client.create_function(**creation(name, source, **{"Code": code, **members}))
    wait_active(client, name)
    return name


def answer(client: Any, name: str, **arguments: Any) -> Any:
    found = client.invoke(FunctionName=name, **arguments)
    payload = found["Payload"].read()
    assert "FunctionError" not in found, payload
    return json.loads(payload)


def found_in(directory: Path, marker: str = MARKER) -> list[Path]:
    """Names and files of it that show the marker."""
    return [path for path in directory.rglob("*") if marker in path.name or marker.encode() in content_of(path)]


def content_of(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:  # the server goes on working
        return b""


def unpacked_in_memory() -> list[Path]:
    return [path for path in IN_MEMORY.glob("lampion-code-*/trees/*") if found_in(path)]


def downloaded(location: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(location) as found:
            return found.status, found.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def settled(client: Any, name: str) -> Any:
    """Its configuration when nothing is outstanding any more, whatever came of it."""
    for _ in range(200):
        found = client.get_function_configuration(FunctionName=name)
        if found["State"] != "Pending" and found["LastUpdateStatus"] != "InProgress":
            return found
        time.sleep(0.1)
    raise AssertionError("still pending")


@pytest.fixture
def server(start_server: Callable[..., LiveServer]) -> LiveServer:
    return start_server()


@pytest.fixture
def own(server: LiveServer) -> Iterator[Clients]:
    with clients_of(server) as made:
        yield made


@pytest.fixture
def own_key(own: Clients) -> Any:
    return own.of("kms").create_key()["KeyMetadata"]


@pytest.fixture
def client(own: Clients) -> Any:
    return own.of("lambda")


@pytest.mark.parametrize("driver", DRIVERS)
def test_nothing_of_it_is_plain_on_disk_whatever_happens(driver: str, start_server: Callable[..., LiveServer]) -> None:
    if driver == "crun" and (os.geteuid() != 0 or shutil.which("crun") is None):
        pytest.skip("the OCI driver needs a server that is root, and crun")
    server = start_server(*DRIVERS[driver])
    with clients_of(server) as clients:
        client, key = clients.of("lambda"), clients.of("kms").create_key()["KeyMetadata"]
        name = encrypted(client, key, Publish=True)
        assert answer(client, name) == answer(client, name, Qualifier="1") == MARKER[:6]
        assert found_in(server.data) == []
        assert len(unpacked_in_memory()) == 1  # for both: it is one package
    if driver == "process":  # its functions would outlive a server that is killed
        server.stop()
    else:
        server.kill()
        assert len(unpacked_in_memory()) == 1
    assert found_in(server.data) == []
    server.start()
    assert unpacked_in_memory() == []
    with clients_of(server) as clients:
        client = clients.of("lambda")
        assert answer(client, name) == MARKER[:6]
        assert found_in(server.data) == []
        client.update_function_code(FunctionName=name, ZipFile=stored(SOURCE))  # without a key: plain from now on
        wait_updated(client, name)
        assert answer(client, name) == MARKER[:6]
        assert found_in(server.data)
    server.stop()
    assert unpacked_in_memory() == []


def test_what_is_told_of_it_is_as_of_plain_code(client: Any, own_key: Any, server: LiveServer) -> None:
    zipped = stored(SOURCE)
    name = encrypted(client, own_key)
    shown = client.get_function(FunctionName=name)
    sha256 = hashlib.sha256(zipped)
    assert shown["Configuration"]["CodeSha256"] == base64.b64encode(sha256.digest()).decode()
    assert shown["Configuration"]["CodeSize"] == len(zipped)
    assert shown["Code"]["SourceKMSKeyArn"] == own_key["Arn"]
    assert downloaded(shown["Code"]["Location"]) == (200, zipped)
    (blob,) = (path for path in (server.data / "blobs").glob("*/*"))
    assert (blob.name != sha256.hexdigest(), blob.name) == (True, hashlib.sha256(blob.read_bytes()).hexdigest())


def test_the_same_code_again_is_published_once_and_encrypted_anew(
    client: Any, own_key: Any, server: LiveServer
) -> None:
    name = encrypted(client, own_key, Publish=True)
    client.update_function_code(FunctionName=name, ZipFile=stored(SOURCE), SourceKMSKeyArn=own_key["Arn"])
    wait_updated(client, name)
    assert client.publish_version(FunctionName=name)["Version"] == "1"
    assert len({path.name for path in (server.data / "blobs").glob("*/*")}) == 2
    client.update_function_code(FunctionName=name, ZipFile=stored(SECOND), SourceKMSKeyArn=own_key["Arn"], Publish=True)
    wait_updated(client, name)
    assert (answer(client, name), answer(client, name, Qualifier="1")) == ("second", MARKER[:6])
    assert client.get_function(FunctionName=name, Qualifier="1")["Code"]["SourceKMSKeyArn"] == own_key["Arn"]


STATES = [
    ("disable_key", {}, "enable_key", "KMSDisabledException", "DisabledKMSKey", "the KMS key used is disabled"),
    (
        "schedule_key_deletion",
        {"PendingWindowInDays": 7},
        "cancel_key_deletion",
        "KMSInvalidStateException",
        "InvalidStateKMSKey",
        "the KMS key used is in an invalid state for Decrypt",
    ),
]


@pytest.mark.parametrize(("stops", "how", "mends", "error", "code", "why"), STATES)
def test_no_environment_starts_while_its_key_cannot_be_used(
    own: Clients, client: Any, own_key: Any, stops: str, how: Any, mends: str, error: str, code: str, why: str
) -> None:
    kms, key_id = own.of("kms"), own_key["KeyId"]
    warm, name = encrypted(client, own_key), encrypted(client, own_key)
    assert answer(client, warm) == MARKER[:6]
    getattr(kms, stops)(KeyId=key_id, **how)
    assert answer(client, warm) == MARKER[:6]  # it has its code
    status, told, message = refusal(client.invoke, FunctionName=name)
    assert (status, told) == (502, error)
    assert message.startswith(
        f"Lambda was unable to decrypt the deployment package because {why}. "
        f"Please check the function's KMS key settings. KMS Exception: "
    )
    client.update_function_configuration(FunctionName=name, Description="other")
    last = settled(client, name)
    assert (last["State"], last["LastUpdateStatus"], last["LastUpdateStatusReasonCode"]) == ("Active", "Failed", code)
    assert refusal(
        client.update_function_code, FunctionName=name, ZipFile=stored(SECOND), SourceKMSKeyArn=own_key["Arn"]
    )[1] == ("InvalidParameterValueException")
    getattr(kms, mends)(KeyId=key_id)
    kms.enable_key(KeyId=key_id)
    assert answer(client, name) == MARKER[:6]
    client.update_function_configuration(FunctionName=name, Description="other")
    assert settled(client, name)["LastUpdateStatus"] == "Successful"


def test_a_key_that_denies_lambda_starts_nothing(own: Clients, client: Any, own_key: Any) -> None:
    kms, name = own.of("kms"), encrypted(client, own_key)
    before = kms.get_key_policy(KeyId=own_key["KeyId"])["Policy"]
    denied = {
        "Effect": "Deny",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    kms.put_key_policy(KeyId=own_key["KeyId"], Policy=policy(*json.loads(before)["Statement"], denied))
    status, code, message = refusal(client.invoke, FunctionName=name)
    assert (status, code) == (502, "KMSAccessDeniedException")
    assert message == (
        "Lambda was unable to decrypt the deployment package because KMS access was denied. Please check the "
        "function's KMS key settings. KMS Exception: AccessDeniedExceptionKMS Message: User: lambda.amazonaws.com is "
        f"not authorized to perform: kms:Decrypt on resource: {own_key['Arn']} with an explicit deny in a "
        "resource-based policy"
    )
    client.update_function_configuration(FunctionName=name, Description="other")
    assert settled(client, name)["LastUpdateStatusReasonCode"] == "KMSKeyAccessDenied"
    kms.put_key_policy(KeyId=own_key["KeyId"], Policy=before)
    assert answer(client, name) == MARKER[:6]


def test_a_key_that_is_not_there_or_not_allowed_is_refused(own: Clients, client: Any, own_key: Any) -> None:
    absent = own_key["Arn"][:-36] + "00000000-0000-4000-8000-000000000000"
    name = unique_name()
    lost = creation(name, SOURCE, Code={"ZipFile": stored(SOURCE), "SourceKMSKeyArn": absent})
    status, code, message = refusal(client.create_function, **lost)
    assert (status, code) == (400, "InvalidParameterValueException")
    assert message == (
        "Lambda was unable to configure access to the deployment package because the KMS key is invalid for "
        "GenerateDataKey. Please check your KMS key settings. KMS Exception: NotFoundException KMS Message: Key "
        f"'{absent}' does not exist"
    )
    user = user_of(own, "code-creator", "lambda:*", "iam:PassRole")
    wanted = creation(name, SOURCE, Code={"ZipFile": stored(SOURCE), "SourceKMSKeyArn": own_key["Arn"]})
    status, code, message = refusal(user.create_function, **wanted)
    assert (status, code) == (400, "InvalidParameterValueException")
    assert "you are not authorized to use the KMS key for GenerateDataKey" in message
    assert refusal(client.get_function, FunctionName=name)[1] == "ResourceNotFoundException"
    only = {
        "kms:EncryptionContext:aws:lambda:FunctionArn": arn_of(name),
        "kms:ViaService": "lambda.us-east-1.amazonaws.com",
    }
    statement = allow("GenerateDataKey", Condition={"StringEquals": only})
    allowed = user_of(own, "code-owner", "lambda:*", "iam:PassRole", more=[statement])
    allowed.create_function(**wanted)
    wait_active(client, name)
    assert answer(client, name) == MARKER[:6]
    wanted["FunctionName"] = unique_name()
    assert refusal(allowed.create_function, **wanted)[1] == "InvalidParameterValueException"


def test_only_who_may_decrypt_gets_the_code(own: Clients, client: Any, own_key: Any) -> None:
    name = encrypted(client, own_key)
    may_not = user_of(own, "code-reader", "lambda:*", "lampion:*")
    code = may_not.get_function(FunctionName=name)["Code"]
    assert code["Error"] == {
        "ErrorCode": "AccessDeniedException",
        "Message": "KMS access is denied. Check your KMS permissions. KMS Exception: AccessDeniedException "
        "KMS Message: User: arn:aws:iam::123456789012:user/code-reader is not authorized to perform: kms:Decrypt on "
        f"resource: {own_key['Arn']} because no identity-based policy allows the kms:Decrypt action",
    }
    assert (code["RepositoryType"], code["SourceKMSKeyArn"]) == ("S3", own_key["Arn"])
    assert "Location" not in code
    may = user_of(own, "code-decrypter", "lambda:GetFunction", more=[allow("Decrypt")])
    location = may.get_function(FunctionName=name)["Code"]["Location"]
    assert downloaded(location) == (200, stored(SOURCE))
    path = urlsplit(location).path
    for signed in (path, path.removesuffix("/opened")):
        status, content = downloaded(signed_by_root(own, signed))  # links are the server's to make
        assert (status, MARKER.encode() in content) == (403, False)
    status, content = downloaded(location.replace("/opened?", "?"))  # nor does one link lead to two places
    assert (status, MARKER.encode() in content) == (403, False)
    own.of("kms").disable_key(KeyId=own_key["KeyId"])
    assert downloaded(location)[0] == 502
    assert client.get_function(FunctionName=name)["Code"]["Error"]["ErrorCode"] == "DisabledException"


def test_a_function_of_other_keys_goes_back_to_the_old_code_when_an_update_fails(
    own: Clients, client: Any, own_key: Any
) -> None:
    name = encrypted(client, own_key)
    client.update_function_code(FunctionName=name, ZipFile=stored(SECOND), SourceKMSKeyArn=own_key["Arn"], DryRun=True)
    assert answer(client, name) == MARKER[:6]
    other = own.of("kms").create_key()["KeyMetadata"]
    client.update_function_code(FunctionName=name, ZipFile=stored(SECOND), SourceKMSKeyArn=other["Arn"])
    own.of("kms").disable_key(KeyId=own_key["KeyId"])  # that of the old code isn't needed any more
    wait_updated(client, name)
    assert answer(client, name) == "second"


def test_layers_lie_beside_encrypted_code(client: Any, own_key: Any) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("python/beside.py", "TEXT = 'beside'\n")
    layer = client.publish_layer_version(LayerName=unique_name("beside"), Content={"ZipFile": buffer.getvalue()})
    source = "import beside\n\ndef handler(event, context):\n    return beside.TEXT\n"
    assert answer(client, encrypted(client, own_key, source, Layers=[layer["LayerVersionArn"]])) == "beside"


def test_code_leaves_memory_with_its_function_and_is_bounded(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--encrypted-code-bytes", "64KiB", "--idle-seconds", "1")
    with clients_of(server) as clients:
        client, key = clients.of("lambda"), clients.of("kms").create_key()["KeyMetadata"]
        first = encrypted(client, key)
        assert answer(client, first) == MARKER[:6]
        name = unique_name("large")
        code = {"ZipFile": stored(SOURCE + "#" * 100_000), "SourceKMSKeyArn": key["Arn"]}
        client.create_function(**creation(name, SOURCE, Code=code))
        failed = settled(client, name)
        assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InternalError")
        assert "--encrypted-code-bytes" in failed["StateReason"]
        large = client.update_function_code(FunctionName=name, ZipFile=stored(SOURCE + "#" * 20_000))
        assert large["LastUpdateStatus"] == "InProgress"
        wait_updated(client, name)
        assert answer(client, name) == MARKER[:6]


def test_without_a_place_in_memory_it_says_so_and_does_not_run_from_disk(
    client: Any, own_key: Any, server: LiveServer, tmp_path: Path
) -> None:
    if why_not(tmp_path) is None:
        pytest.skip("the tests' directories are in memory")
    name = encrypted(client, own_key)
    server.kill()
    server.options = ("--encrypted-code-directory", str(tmp_path))
    server.start()
    assert unpacked_in_memory() == []  # what it left elsewhere, too
    with clients_of(server) as clients:
        status, code, message = refusal(clients.of("lambda").invoke, FunctionName=name)
    assert (status, code) == (500, "ServiceException")
    assert f"no directory in memory to unpack encrypted code to ({tmp_path} isn't in memory (tmpfs))" in message
    assert found_in(server.data) == []


def signed_by_root(clients: Clients, path: str) -> str:
    root = clients.server.server
    request = AWSRequest("GET", f"{root.url}{path}")
    SigV4QueryAuth(Credentials(root.access_key_id, root.secret_access_key), "lambda", "us-east-1").add_auth(request)
    return str(request.url)


def user_of(clients: Clients, name: str, *actions: str, more: list[Any] | None = None) -> Any:
    """Lambda as a new user sees it, who may these actions."""
    iam = clients.of("iam")
    iam.create_user(UserName=name)
    statements = [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}, *(more or [])]
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return clients.of("lambda", key["AccessKeyId"], key["SecretAccessKey"])
