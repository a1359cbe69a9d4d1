"""The master key with another KMS, for which a second server stands; and moving it from place to place."""

import base64
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conformance.kms.clients import allow, clients_of, policy
from tests.conformance.kms.test_master_key import SECRET, beside, decrypted, encrypted, kms_of, told
from tests.live_server import LiveServer, clean_environ

Start = Callable[..., LiveServer]
_MATERIAL_ID_CHARACTERS = 64
_DESCRIPTION_CHARACTERS = 200


@pytest.fixture(scope="module")
def elsewhere(marked_root: Path) -> Iterator[LiveServer]:
    """The server that is the other KMS."""
    with LiveServer(data=marked_root / "other-kms") as server:
        yield server


@pytest.fixture
def external_key(elsewhere: LiveServer) -> str:
    """The ARN of a new key there."""
    with kms_of(elsewhere) as kms:
        arn: str = kms.create_key()["KeyMetadata"]["Arn"]
        return arn


def reaching(elsewhere: LiveServer) -> dict[str, str]:
    """What a server is given to ask there, as that account's root."""
    root = elsewhere.server
    return {
        "AWS_ENDPOINT_URL_KMS": root.url,
        "AWS_ACCESS_KEY_ID": root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
    }


def master_key(server: LiveServer, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`lampion master-key ARGUMENTS` on the data directory of a server, with what that was started with."""
    command = [sys.executable, "-m", "lampion", "master-key", *arguments, "--data", str(server.data)]
    variables = {**clean_environ(), **server.environ, **environ}
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)


def moved(server: LiveServer, to: str, *arguments: str, **environ: str) -> str:
    done = master_key(server, "move", "--to", to, *arguments, **environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def where(server: LiveServer, *arguments: str) -> str:
    done = master_key(server, "where", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def with_kms(server: LiveServer, key: str, elsewhere: LiveServer) -> LiveServer:
    return LiveServer(data=server.data, options=("--master-key", f"kms:{key}"), environ=reaching(elsewhere))


def test_a_server_with_its_master_key_elsewhere_starts_again_and_keeps_none_itself(
    start_server: Start, elsewhere: LiveServer, external_key: str
) -> None:
    server = start_server("--master-key", f"kms:{external_key}", **reaching(elsewhere))
    blob = encrypted(server)
    server.restart()
    assert decrypted(server, blob) == SECRET
    assert not beside(server).exists()
    assert where(server) == f"kms:{external_key}"
    assert base64.b64encode(SECRET).decode() not in server.output


def test_without_that_kms_it_does_not_start_and_nothing_changes(
    start_server: Start, elsewhere: LiveServer, external_key: str
) -> None:
    server = start_server("--master-key", f"kms:{external_key}", **reaching(elsewhere))
    blob = encrypted(server)
    server.stop()
    right = dict(server.environ)
    for change, words in (
        ({"AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:1"}, "kms at http://127.0.0.1:1"),
        ({"AWS_ENDPOINT_URL_KMS": ""}, "set AWS_ENDPOINT_URL_KMS"),
        ({"AWS_SECRET_ACCESS_KEY": "x" * 40}, "InvalidSignatureException"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "kms has no credentials"),
    ):
        server.environ = {**right, **change}
        shown = told(server)
        assert words in shown
        assert f"the master key of kms:{external_key}" in shown
    server.environ = right
    with kms_of(elsewhere) as kms:
        kms.disable_key(KeyId=external_key)
        assert "DisabledException" in told(server)
        kms.enable_key(KeyId=external_key)
        another = kms.create_key()["KeyMetadata"]["Arn"]
    server.options = ("--master-key", f"kms:{another}")
    assert "IncorrectKeyException" in told(server)
    server.options = ()
    assert f"It was in kms:{external_key}" in told(server)
    server.options = ("--master-key", f"kms:{external_key}")
    server.start()
    assert decrypted(server, blob) == SECRET


def test_the_other_kms_needs_to_allow_two_operations_in_the_installations_context(
    start_server: Start, elsewhere: LiveServer, external_key: str
) -> None:
    with clients_of(elsewhere) as clients:
        iam = clients.of("iam")
        iam.create_user(UserName="lampion")
        key = iam.create_access_key(UserName="lampion")["AccessKey"]
        named = {"Null": {"kms:EncryptionContext:LampionInstallation": "false"}}
        statement = allow("GenerateDataKey", "Decrypt", resource=external_key, Condition=named)
        environ = {**reaching(elsewhere), "AWS_ACCESS_KEY_ID": key["AccessKeyId"]}
        environ["AWS_SECRET_ACCESS_KEY"] = key["SecretAccessKey"]
        server = LiveServer(
            data=elsewhere.data.with_name("denied"), options=("--master-key", f"kms:{external_key}"), environ=environ
        )
        assert "kms:GenerateDataKey" in (shown := told(server))
        assert "AccessDeniedException" in shown
        iam.put_user_policy(UserName="lampion", PolicyName="p", PolicyDocument=policy(statement))
        with server:
            blob = encrypted(server)
        with server:
            assert decrypted(server, blob) == SECRET
        iam.delete_user_policy(UserName="lampion", PolicyName="p")
        assert "kms:Decrypt" in told(server)


def test_it_moves_from_the_file_to_a_kms_to_a_variable_and_back(
    private_server: LiveServer, elsewhere: LiveServer, external_key: str, tmp_path: Path
) -> None:
    blob, first = encrypted(private_server), beside(private_server)
    assert where(private_server) == f"file:{first}"
    private_server.stop()
    with_variables = LiveServer(data=private_server.data, environ=reaching(elsewhere))
    shown = moved(with_variables, f"kms:{external_key}")
    assert "1 key wrapped anew" in shown
    assert f"--master-key kms:{external_key}" in shown
    assert where(private_server) == f"kms:{external_key}"
    assert "another master key" in told(private_server)  # by the old file
    external = with_kms(private_server, external_key, elsewhere)
    with external:
        assert decrypted(external, blob) == SECRET
    key = base64.b64encode(os.urandom(32)).decode()
    shown = moved(external, "env", "--master-key", f"kms:{external_key}", LAMPION_NEW_MASTER_KEY=key)
    assert key not in shown
    by_variable = LiveServer(data=private_server.data, environ={"LAMPION_MASTER_KEY": key})
    with by_variable:
        assert decrypted(by_variable, blob) == SECRET
    assert where(by_variable) == "env"
    assert "IncorrectKeyException" not in (shown := told(external))
    assert "It was in LAMPION_MASTER_KEY" in shown
    last = tmp_path / "last"
    assert f"--master-key {last}" in moved(by_variable, f"file:{last}")
    by_file = LiveServer(data=private_server.data, options=("--master-key", str(last)))
    with by_file:
        assert decrypted(by_file, blob) == SECRET
    assert "is there already" in moved(by_file, str(last), "--master-key", str(last))


def test_after_a_move_nothing_that_the_old_key_opens_is_in_the_data(private_server: LiveServer, tmp_path: Path) -> None:
    """A copy of the data and the old key are of no use together."""
    blob = encrypted(private_server)
    with kms_of(private_server) as kms:
        for _ in range(20):
            kms.create_key(Description="to be gone")
    private_server.stop()
    wrapped = _wrapped_materials(private_server.data)
    assert len(wrapped) > 20
    with _database(private_server.data) as file:  # as keys are gone whose time has come
        file.execute("PRAGMA secure_delete = OFF")  # as most builds of SQLite have it
        file.execute("DELETE FROM resources WHERE kind = 'kms-key' AND CAST(document AS TEXT) LIKE '%to be gone%'")
        file.commit()
    moved(private_server, str(tmp_path / "new"))
    content = b"".join(path.read_bytes() for path in private_server.data.rglob("*") if path.is_file())
    assert not [one for one in wrapped if one in content]
    private_server.options = ("--master-key", str(tmp_path / "new"))
    private_server.start()
    assert decrypted(private_server, blob) == SECRET


@contextmanager
def _database(data: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(data / "lampion.db")) as file:
        yield file


def _wrapped_materials(data: Path) -> list[bytes]:
    with _database(data) as file:
        rows = file.execute("SELECT document FROM resources WHERE kind LIKE 'kms-%key%'").fetchall()
    texts = (row[0] if isinstance(row[0], bytes) else row[0].encode() for row in rows)
    return [
        part for text in texts for part in text.split(b'"') if len(part) > _MATERIAL_ID_CHARACTERS and b" " not in part
    ]


def test_a_move_that_cannot_be_is_refused_and_changes_nothing(private_server: LiveServer, tmp_path: Path) -> None:
    blob, server = encrypted(private_server), private_server
    for to, words in (
        (f"file:{tmp_path / 'key'}", "is in use by the server of process"),
        (f"file:{server.data / 'key'}", "would lie beside what it protects"),
        ("env", "LAMPION_NEW_MASTER_KEY, which isn't set"),
        ("kms:", "names no key of KMS"),
        ("file:", "names no place"),
    ):
        done = master_key(server, "move", "--to", to)
        assert done.returncode == 2
        assert words in done.stderr
    server.stop()
    done = master_key(server, "move", "--to", "kms:alias/x")
    assert "set AWS_ENDPOINT_URL_KMS" in done.stderr
    nowhere = LiveServer(data=tmp_path / "nothing")
    assert "No server ever ran on" in master_key(nowhere, "move", "--to", str(tmp_path / "key")).stderr
    assert not nowhere.data.exists()
    assert not (tmp_path / "key").exists()
    server.start()
    assert decrypted(server, blob) == SECRET
