"""What keys do, with boto3: round trips, what was changed is refused, data keys, randomness, rotation."""

from typing import Any

import pytest

from tests.conformance.kms.clients import refused

ABOUT = {"LambdaFunctionName": "orders", "ä": "ö"}


@pytest.mark.parametrize("about", [{}, {"a": ""}, ABOUT])
def test_what_is_encrypted_is_decrypted_in_its_context_alone(kms: Any, key: Any, about: dict[str, str]) -> None:
    made = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret", EncryptionContext=about)
    assert (made["KeyId"], made["EncryptionAlgorithm"]) == (key["Arn"], "SYMMETRIC_DEFAULT")
    again = dict(reversed(about.items()))
    decrypted = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=again)
    assert (decrypted["Plaintext"], decrypted["KeyId"]) == (b"secret", key["Arn"])
    assert decrypted["KeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=about, KeyId=key["KeyId"])
    for other in ({**about, "more": "x"}, {name: f"{value}x" for name, value in about.items()} or {"x": "y"}):
        assert refused(kms.decrypt, CiphertextBlob=made["CiphertextBlob"], EncryptionContext=other) == (
            "InvalidCiphertextException",
            "",
        )


def test_encrypting_twice_gives_two_ciphertexts(kms: Any, key: Any) -> None:
    blobs = {kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"] for _ in range(3)}
    assert len(blobs) == 3


def test_4096_bytes_are_encrypted_and_no_more(kms: Any, key: Any) -> None:
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p" * 4096)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"p" * 4096
    code, message = refused(kms.encrypt, KeyId=key["KeyId"], Plaintext=b"p" * 4097)
    assert code == "ValidationException"
    assert message == (
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
        "Member must have length less than or equal to 4096"
    )


@pytest.mark.parametrize("blob", [b"x", b"\x01" * 37, b"\x01" * 200])
def test_what_is_no_ciphertext_is_refused(kms: Any, blob: bytes) -> None:
    assert refused(kms.decrypt, CiphertextBlob=blob) == ("InvalidCiphertextException", "")
    assert refused(kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId="x")[0] == "InvalidCiphertextException"


def test_another_algorithm_is_not_for_such_keys(kms: Any, key: Any) -> None:
    asked = {"KeyId": key["KeyId"], "Plaintext": b"p", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    assert refused(kms.encrypt, **asked)[0] == "InvalidKeyUsageException"


def test_a_ciphertext_is_moved_to_another_key_and_context(kms: Any, key: Any) -> None:
    other = kms.create_key()["KeyMetadata"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p", EncryptionContext=ABOUT)["CiphertextBlob"]
    moved = kms.re_encrypt(
        CiphertextBlob=blob,
        SourceEncryptionContext=ABOUT,
        DestinationKeyId=other["Arn"],
        DestinationEncryptionContext={"to": "there"},
    )
    assert (moved["SourceKeyId"], moved["KeyId"]) == (key["Arn"], other["Arn"])
    decrypted = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"to": "there"})
    assert (decrypted["Plaintext"], decrypted["KeyId"]) == (b"p", other["Arn"])
    assert (
        refused(kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId=other["Arn"])[0] == "InvalidCiphertextException"
    )


@pytest.mark.parametrize(
    ("wanted", "size_bytes"),
    [({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1024}, 1024)],
)
def test_data_keys_come_with_their_ciphertext(kms: Any, key: Any, wanted: dict[str, Any], size_bytes: int) -> None:
    made = kms.generate_data_key(KeyId=key["KeyId"], EncryptionContext=ABOUT, **wanted)
    assert len(made["Plaintext"]) == size_bytes
    asked = {"CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": ABOUT}
    assert kms.decrypt(**asked)["Plaintext"] == made["Plaintext"]
    without = kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], **wanted)
    assert "Plaintext" not in without
    assert len(kms.decrypt(CiphertextBlob=without["CiphertextBlob"])["Plaintext"]) == size_bytes


def test_the_size_of_a_data_key_is_said_once(kms: Any, key: Any) -> None:
    told = ("ValidationException", "Please specify either number of bytes or key spec.")
    assert refused(kms.generate_data_key, KeyId=key["KeyId"]) == told
    assert refused(kms.generate_data_key, KeyId=key["KeyId"], KeySpec="AES_256", NumberOfBytes=3) == told


def test_random_bytes(kms: Any) -> None:
    made = {kms.generate_random(NumberOfBytes=32)["Plaintext"] for _ in range(3)}
    assert {len(one) for one in made} == {32}
    assert len(made) == 3
    assert refused(kms.generate_random)[0] == "ValidationException"


def test_a_dry_run_does_nothing(kms: Any, key: Any) -> None:
    told = ("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    assert refused(kms.encrypt, KeyId=key["KeyId"], Plaintext=b"p", DryRun=True) == told
    assert refused(kms.decrypt, CiphertextBlob=blob, DryRun=True) == told
    grantee = "arn:aws:iam::123456789012:user/x"
    asked = {"KeyId": key["KeyId"], "GranteePrincipal": grantee, "Operations": ["Decrypt"]}
    assert refused(kms.create_grant, **asked, DryRun=True) == told
    assert kms.list_grants(KeyId=key["KeyId"])["Grants"] == []
    grant = kms.create_grant(**asked)["GrantId"]
    assert refused(kms.revoke_grant, KeyId=key["KeyId"], GrantId=grant, DryRun=True) == told
    assert len(kms.list_grants(KeyId=key["KeyId"])["Grants"]) == 1


def test_rotation_is_switched_on_and_off(kms: Any, key: Any) -> None:
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 90)
    assert (status["NextRotationDate"] - key["CreationDate"]).days == 90
    assert refused(kms.enable_key_rotation, KeyId=key["KeyId"], RotationPeriodInDays=89)[0] == "ValidationException"
    kms.disable_key_rotation(KeyId=key["KeyId"])
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is False
    kms.disable_key(KeyId=key["KeyId"])
    assert refused(kms.enable_key_rotation, KeyId=key["KeyId"])[0] == "DisabledException"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "SerializationException"),
        (b"[]", "SerializationException"),
        (b"\xff", "SerializationException"),
        (b'{"CiphertextBlob": 1}', "SerializationException"),
        (b'{"CiphertextBlob": "%"}', "SerializationException"),
        (b'{"CiphertextBlob": "AAAA", "EncryptionContext": {"a": 1}}', "SerializationException"),
        (b'{"CiphertextBlob": "AAAA", "EncryptionContext": {"\\ud800": "x"}}', "SerializationException"),
        (b"", "ValidationException"),
        (b"{}", "ValidationException"),
        (b'{"CiphertextBlob": ""}', "ValidationException"),
        (b'{"CiphertextBlob": "AAAA", "EncryptionContext": {"a": null}}', "ValidationException"),
        (b'{"CiphertextBlob": "AAAA", "GrantTokens": [""]}', "ValidationException"),
    ],
)
def test_a_body_that_cannot_be_meant_is_refused(kms: Any, body: bytes, code: str) -> None:
    def changed(params: dict[str, Any], **_: Any) -> None:
        params["body"] = body

    kms.meta.events.register("before-call.kms.Decrypt", changed)
    assert refused(kms.decrypt, CiphertextBlob=b"x")[0] == code


def test_an_operation_that_isnt_there_is_unknown(kms: Any) -> None:
    def renamed(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["X-Amz-Target"] = "TrentService.ListLocks"

    kms.meta.events.register("before-call.kms.ListKeys", renamed)
    assert refused(kms.list_keys)[0] == "UnknownOperationException"
