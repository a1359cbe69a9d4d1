"""What survives a restart, and the master key that keys are wrapped by: made once, private, and never another one."""

import base64
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lampion.cli.client import Call, send
from tests.conformance.kms.clients import clients_of, refused
from tests.live_server import LiveServer, NotReady

Start = Callable[..., LiveServer]
DAY_SECONDS = 86_400
SECRET = b"very secret plaintext"


@contextmanager
def kms_of(server: LiveServer) -> Iterator[Any]:
    with clients_of(server) as clients:
        yield clients.of("kms")


def beside(server: LiveServer) -> Path:
    return server.data.with_name(f"{server.data.name}.master-key")


def encrypted(server: LiveServer) -> bytes:
    with kms_of(server) as kms:
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
        blob: bytes = kms.encrypt(KeyId="alias/mine", Plaintext=SECRET)["CiphertextBlob"]
        return blob


def decrypted(server: LiveServer, blob: bytes) -> bytes:
    with kms_of(server) as kms:
        plaintext: bytes = kms.decrypt(CiphertextBlob=blob)["Plaintext"]
        return plaintext


def advance(server: LiveServer, days: int) -> None:
    answer = send(
        server.server,
        Call("POST", ("_lampion", "clock"), body=b'{"advance_seconds": %d}' % (days * DAY_SECONDS)),
        timeout_seconds=20,
    )
    assert answer.status == 200, answer.body


def test_keys_aliases_and_grants_survive_kill_9(private_server: LiveServer) -> None:
    blob = encrypted(private_server)
    with kms_of(private_server) as kms:
        grantee = "arn:aws:iam::123456789012:user/x"
        kms.create_grant(KeyId=kms.list_keys()["Keys"][0]["KeyId"], GranteePrincipal=grantee, Operations=["Decrypt"])
        before = (kms.describe_key(KeyId="alias/mine")["KeyMetadata"], kms.list_keys()["Keys"])
        grants = kms.list_grants(KeyId=before[0]["KeyId"])["Grants"]
    private_server.restart()
    assert decrypted(private_server, blob) == SECRET
    with kms_of(private_server) as kms:
        assert (kms.describe_key(KeyId="alias/mine")["KeyMetadata"], kms.list_keys()["Keys"]) == before
        assert kms.list_grants(KeyId=before[0]["KeyId"])["Grants"] == grants


def test_the_master_key_is_made_at_its_first_use_outside_the_data_and_private(private_server: LiveServer) -> None:
    file = beside(private_server)
    with kms_of(private_server) as kms:
        assert kms.list_keys()["Keys"] == []
        assert refused(kms.decrypt, CiphertextBlob=b"x" * 200)[0] == "InvalidCiphertextException"
    assert not file.exists()
    encrypted(private_server)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_bytes()
    key = base64.b64decode(text)
    assert len(key) == 32
    private_server.stop()
    found = [path for path in private_server.data.rglob("*") if path.is_file()]
    assert found
    for path in found:
        content = path.read_bytes()
        assert not any(one in content for one in (key, text.strip(), SECRET)), path
    assert text.strip().decode() not in private_server.output
    assert SECRET.decode() not in private_server.output


def test_another_master_key_or_none_keeps_the_server_from_starting(private_server: LiveServer) -> None:
    blob, file = encrypted(private_server), beside(private_server)
    private_server.stop()
    right = file.read_bytes()
    file.write_bytes(base64.b64encode(os.urandom(32)))
    assert "another master key" in told(private_server)
    file.write_bytes(b"nonsense")
    assert "holds no master key" in told(private_server)
    file.unlink()
    assert f"a master key that isn't in {file}" in told(private_server)
    assert not file.exists()
    file.touch(mode=0o644)
    file.chmod(0o644)
    file.write_bytes(right)
    assert "is open to others" in told(private_server)
    file.chmod(0o600)
    private_server.start()
    assert decrypted(private_server, blob) == SECRET


def told(server: LiveServer) -> str:
    """What a server says that doesn't start."""
    before = len(server.output)
    with pytest.raises(NotReady):
        server.start()
    server.stop()
    return server.output[before:]


def test_the_master_key_may_be_in_a_variable_or_in_a_file_elsewhere(start_server: Start, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere"
    by_file = start_server("--master-key", str(file))
    blob = encrypted(by_file)
    key = file.read_text(encoding="ascii").strip()
    assert not beside(by_file).exists()
    by_file.stop()
    by_variable = LiveServer(data=by_file.data, environ={"LAMPION_MASTER_KEY": key})
    with by_variable:
        assert decrypted(by_variable, blob) == SECRET
        assert not beside(by_variable).exists()
        assert key not in by_variable.output
    wrong = LiveServer(data=by_file.data, environ={"LAMPION_MASTER_KEY": f"{key}{key}"})
    assert "LAMPION_MASTER_KEY" in (shown := told(wrong))
    assert key not in shown


def test_a_master_key_among_the_data_is_refused(marked_root: Path) -> None:
    data = marked_root / "kms-among"
    server = LiveServer(data=data, options=("--master-key", str(data / "key")))
    assert "would lie beside what it protects" in told(server)


def test_a_key_is_gone_when_its_time_has_come(start_server: Start) -> None:
    server = start_server("--clock", "adjustable")
    blob = encrypted(server)
    with kms_of(server) as kms:
        key = kms.describe_key(KeyId="alias/mine")["KeyMetadata"]
        kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=8)
        advance(server, 7)
        assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
        advance(server, 1)
        assert refused(kms.describe_key, KeyId=key["KeyId"]) == (
            "NotFoundException",
            f"Key '{key['Arn']}' does not exist",
        )
        assert refused(kms.describe_key, KeyId="alias/mine")[0] == "NotFoundException"
        assert refused(kms.decrypt, CiphertextBlob=blob)[0] == "AccessDeniedException"
        assert refused(kms.cancel_key_deletion, KeyId=key["KeyId"])[0] == "NotFoundException"
        assert kms.list_keys()["Keys"] == []
        kms.create_alias(AliasName="alias/mine", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    server.restart()
    with kms_of(server) as kms:
        assert refused(kms.describe_key, KeyId=key["KeyId"])[0] == "NotFoundException"


def test_a_key_gets_new_material_and_decrypts_with_the_old(start_server: Start) -> None:
    server = start_server("--clock", "adjustable")
    blob = encrypted(server)
    with kms_of(server) as kms:
        kms.enable_key_rotation(KeyId=kms.list_keys()["Keys"][0]["KeyId"])
        before = kms.describe_key(KeyId="alias/mine")["KeyMetadata"]["CurrentKeyMaterialId"]
        advance(server, 366)
        newer = kms.encrypt(KeyId="alias/mine", Plaintext=SECRET)["CiphertextBlob"]
        assert kms.describe_key(KeyId="alias/mine")["KeyMetadata"]["CurrentKeyMaterialId"] != before
        used = {one: kms.decrypt(CiphertextBlob=one) for one in (blob, newer)}
        assert {answer["Plaintext"] for answer in used.values()} == {SECRET}
        assert used[blob]["KeyMaterialId"] == before != used[newer]["KeyMaterialId"]
    server.restart()
    assert [decrypted(server, one) for one in (blob, newer)] == [SECRET, SECRET]
