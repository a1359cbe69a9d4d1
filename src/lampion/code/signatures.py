"""Reads the signature that AWS Signer puts into a zip. What it says is a claim: nothing here proves it.

AWS doesn't publish the format. Seen in signed packages: a file of this name, PEM around a detached CMS SignedData
(RFC 5652) in BER, whose signed attributes name job, profile version and expiry under AWS's own object identifiers.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import Final

from lampion.code.ber import BadBer, Element, only_element
from lampion.code.zip_format import BadZip, Buffer, Entry, contents, entries, find_directory
from lampion.domain.code_signing import Signature

SIGNATURE_NAME: Final = "META_INF/aws_signer_signature_v1.0.SF"

_SIGNATURE_BYTES_MAX: Final = 256 * 1024
"""Signatures seen have 5 KB, most of it certificates."""
_BEGIN, _END = b"-----BEGIN PKCS7-----", b"-----END PKCS7-----"

_OCTETS, _OID, _UTF8, _TIME = 0x04, 0x06, 0x0C, 0x18
_SEQUENCE, _SET, _TAGGED_0 = 0x30, 0x31, 0xA0

_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2
_MESSAGE_DIGEST: Final = bytes.fromhex("2a864886f70d010904")  # 1.2.840.113549.1.9.4
_JOB_ARN: Final = bytes.fromhex("2b813b81090102")  # 1.3.187.137.1.2
_EXPIRY: Final = bytes.fromhex("2b813b81090103")  # 1.3.187.137.1.3
_PROFILE_VERSION_ARN: Final = bytes.fromhex("2b813b81090104")  # 1.3.187.137.1.4
_SHA384_BYTES: Final = 48


class BadSignature(Exception):
    """The zip has a signature that can't be one of AWS Signer's. The message is for our own log only."""


def read_signature(zipped: Buffer) -> Signature | None:
    """What the signature in a zip that keeps the rules (see archive) says; None when there is none. Blocking.

    Raises BadSignature.
    """
    entry = _signature_entry(zipped)
    if entry is None:
        return None
    if entry.size_bytes > _SIGNATURE_BYTES_MAX:
        raise BadSignature("too large")
    try:
        return parse_signature(b"".join(contents(zipped, entry)))
    except BadZip as error:
        raise BadSignature(str(error)) from error


def parse_signature(pem: bytes) -> Signature:
    """What the file of a signature says. Raises BadSignature."""
    text = pem.strip()
    if not (text.startswith(_BEGIN) and text.endswith(_END)):
        raise BadSignature("not PEM")
    try:
        encoded = base64.b64decode(b"".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
        attributes = _signed_attributes(only_element(encoded))
        if len(_value(attributes, _MESSAGE_DIGEST, _OCTETS)) != _SHA384_BYTES:
            raise BadSignature("not a SHA-384 digest")
        return Signature(
            profile_version_arn=_value(attributes, _PROFILE_VERSION_ARN, _UTF8).decode(),
            job_arn=_value(attributes, _JOB_ARN, _UTF8).decode(),
            expires_epoch_ms=_epoch_ms(_value(attributes, _EXPIRY, _TIME).decode("ascii")),
        )
    except (BadBer, binascii.Error, ValueError) as error:
        raise BadSignature(str(error)) from error


def _signature_entry(zipped: Buffer) -> Entry | None:
    name = SIGNATURE_NAME.encode()
    found = [entry for entry in entries(zipped, find_directory(zipped)) if entry.name == name]
    return found[0] if found else None


def _signed_attributes(content_info: Element) -> dict[bytes, Element]:
    """The values of the only signer's attributes, by object identifier."""
    kind, wrapped = _members(content_info, _SEQUENCE, (_OID, _TAGGED_0))
    if kind.content != _SIGNED_DATA:
        raise BadSignature("not SignedData")
    signed_data = only_element(wrapped.content).members()
    signers = [one for one in signed_data if one.tag == _SET][-1:]
    if len(signed_data) < 4 or not signers:  # version, digest algorithms, content, signers
        raise BadSignature("no signer")
    signer = only_element(signers[0].content).members()
    signed = [one for one in signer if one.tag == _TAGGED_0]
    if len(signed) != 1:
        raise BadSignature("nothing signed")
    attributes: dict[bytes, Element] = {}
    for attribute in signed[0].members():
        name, values = _members(attribute, _SEQUENCE, (_OID, _SET))
        if name.content in attributes:
            raise BadSignature("an attribute twice")
        attributes[name.content] = only_element(values.content)
    return attributes


def _members(element: Element, tag: int, member_tags: tuple[int, ...]) -> list[Element]:
    members = element.members()
    if element.tag != tag or tuple(one.tag for one in members) != member_tags:
        raise BadSignature("not of the form expected")
    return members


def _value(attributes: dict[bytes, Element], name: bytes, tag: int) -> bytes:
    value = attributes.get(name)
    if value is None or value.tag != tag:
        raise BadSignature(f"attribute {name.hex()} missing")
    return value.content


def _epoch_ms(generalized_time: str) -> int:
    """GeneralizedTime in UTC, with a fraction or without."""
    whole, _, fraction = generalized_time.removesuffix("Z").partition(".")
    if not generalized_time.endswith("Z") or not (whole + fraction).isdigit():
        raise BadSignature("not a time in UTC")
    moment = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1000 + int((fraction + "000")[:3])
