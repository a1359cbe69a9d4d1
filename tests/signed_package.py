"""Deployment packages with a signature of the form that AWS Signer gives, order and lengths included: nobody's key."""

import base64
import textwrap
from collections.abc import Mapping
from typing import Any

from tests.deployment import zipped

SIGNATURE_NAME = "META_INF/aws_signer_signature_v1.0.SF"
PROFILE = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/MyProfile/aBcDeFgHiJ"
JOB = "arn:aws:signer:us-east-1:123456789012:/signing-jobs/01234567-89ab-4cde-8f01-23456789abcd"
EXPIRY = "20990101000000.250Z"

OWN_ARC = "2b813b810901"
SHA384 = "608648016503040202"


def element(tag: int, *contents: bytes) -> bytes:
    """With a definite length."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def open_element(tag: int, *contents: bytes) -> bytes:
    """With an indefinite length, as AWS writes the outer ones."""
    return bytes([tag, 0x80]) + b"".join(contents) + b"\0\0"


def oid(digits: str) -> bytes:
    return element(0x06, bytes.fromhex(digits))


def attribute(name: str, value: bytes) -> bytes:
    return element(0x30, oid(name), element(0x31, value))


def attributes(
    profile: str = PROFILE, job: str = JOB, expiry: str = EXPIRY, digest: bytes = b"d" * 48
) -> dict[str, bytes]:
    """The signed attributes by object identifier, each encoded."""
    return {
        "2a864886f70d010903": oid("2a864886f70d010701"),
        f"{OWN_ARC}03": element(0x18, expiry.encode()),
        "2a864886f70d010905": element(0x18, b"20240101000000.250Z"),
        "2a864886f70d010904": element(0x04, digest),
        f"{OWN_ARC}02": element(0x0C, job.encode()),
        f"{OWN_ARC}04": element(0x0C, profile.encode()),
    }


def signed_data(signed: Mapping[str, bytes]) -> bytes:
    algorithm = element(0x30, oid(SHA384), element(0x05))
    signer = element(
        0x30,
        element(0x02, b"\1"),
        element(0x30, element(0x30), element(0x02, b"\1")),
        algorithm,
        element(0xA0, *(attribute(name, value) for name, value in signed.items())),
        element(0x30, oid("2a8648ce3d040303")),
        element(0x04, b"s" * 104),
    )
    content = open_element(
        0x30,
        element(0x02, b"\1"),
        element(0x31, algorithm),
        open_element(0x30, oid("2a864886f70d010701")),
        open_element(0xA0, element(0x30, b"\x02\x01\x01")),  # where certificates are
        element(0x31, signer),
    )
    return open_element(0x30, oid("2a864886f70d010702"), open_element(0xA0, content))


def pem(encoded: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(encoded).decode(), 64)
    return "\n".join(["-----BEGIN PKCS7-----", *lines, "-----END PKCS7-----", ""]).encode()


def signature(**claims: Any) -> bytes:
    """The file that a signed package has; `claims` as of `attributes`."""
    return pem(signed_data(attributes(**claims)))


def signed(source: str, **claims: Any) -> bytes:
    """The package of index.py with a signature in it."""
    return zipped({"index.py": source, SIGNATURE_NAME: signature(**claims)})
