"""The signature in a package: what it says, and everything that isn't one."""

import pytest

from lampion.code.signatures import SIGNATURE_NAME, BadSignature, parse_signature, read_signature
from lampion.domain.code_signing import Signature
from tests.deployment import zipped
from tests.signed_package import JOB, OWN_ARC, PROFILE, attributes, element, pem, signature, signed, signed_data

SAID = Signature(profile_version_arn=PROFILE, job_arn=JOB, expires_epoch_ms=4_070_908_800_250)


def test_a_signed_package_says_who_and_until_when() -> None:
    assert read_signature(signed("pass")) == SAID


@pytest.mark.parametrize(
    ("expiry", "epoch_ms"),
    [("20240102030405Z", 1_704_164_645_000), ("20240102030405.5Z", 1_704_164_645_500)],
)
def test_times_with_a_fraction_or_without(expiry: str, epoch_ms: int) -> None:
    assert parse_signature(signature(expiry=expiry)).expires_epoch_ms == epoch_ms


def test_a_package_without_the_file_has_no_signature() -> None:
    assert read_signature(zipped({"index.py": "", "META-INF/aws_signer_signature_v1.0.SF": signature()})) is None


def without(name: str) -> bytes:
    return signed_data({one: value for one, value in attributes().items() if one != name})


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"-----BEGIN PKCS7-----",
        b"-----BEGIN PKCS7-----\nno base64!\n-----END PKCS7-----",
        b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----",
        signature() + b"and more",
        pem(signed_data(attributes())[:-40]),
        pem(signed_data({})),
        pem(without(f"{OWN_ARC}02")),
        pem(without(f"{OWN_ARC}03")),
        pem(without(f"{OWN_ARC}04")),
        pem(without("2a864886f70d010904")),
        pem(signed_data({**attributes(), f"{OWN_ARC}04": element(0x04, PROFILE.encode())})),
        pem(
            signed_data(attributes()).replace(bytes.fromhex("2a864886f70d010702"), bytes.fromhex("2a864886f70d010701"))
        ),
        signature(digest=b"d" * 32),
        signature(expiry="2024-01-02"),
        signature(expiry="20240102030405"),
        signature(expiry="20241302030405Z"),
        signature(expiry="20240102030405.Z5"),
    ],
)
def test_a_file_that_is_no_signature(wrong: bytes) -> None:
    with pytest.raises(BadSignature):
        parse_signature(wrong)
    with pytest.raises(BadSignature):
        read_signature(zipped({"index.py": "", SIGNATURE_NAME: wrong}))


def test_an_attribute_twice_is_no_signature() -> None:
    data = signed_data(attributes())
    job, profile = bytes.fromhex(f"{OWN_ARC}02"), bytes.fromhex(f"{OWN_ARC}04")
    with pytest.raises(BadSignature, match="twice"):
        parse_signature(pem(data.replace(job, profile)))


def test_a_file_far_larger_than_signatures_is_not_read() -> None:
    with pytest.raises(BadSignature, match="too large"):
        read_signature(zipped({SIGNATURE_NAME: signature() + b"\n" * 300_000}))
