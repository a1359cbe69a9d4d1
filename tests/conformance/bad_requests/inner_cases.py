"""Members that the operation itself reads, beyond the model: policies, filter patterns and packages, odd ones."""

import io
import json
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

from tests.conformance.bad_requests.case import Case, Expect
from tests.conformance.bad_requests.catalogue import service_model
from tests.conformance.bad_requests.known import KNOWN
from tests.conformance.bad_requests.rendering import rendered
from tests.conformance.bad_requests.standing import FUNCTION_ARN
from tests.conformance.bad_requests.valid import Texts, asked_rightly

_ANYTHING: Final[tuple[Any, ...]] = (
    None,
    True,
    7,
    1e308,
    -0.0,
    "",
    "*",
    "\ud800",
    [],
    [[]],
    {},
    {"": ""},
    [None],
    ["*", 7],
)
_DEEP: Final = 20_000

_STATEMENT: Final = {
    "Sid": "odd",
    "Effect": "Allow",
    "Principal": {"AWS": "210987654321"},
    "Action": "lambda:InvokeFunction",
    "Resource": FUNCTION_ARN,
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-0123456789"}},
}
_TEXTS: Final[Mapping[str, str]] = {
    "nothing": "",
    "blanks": " \n\t",
    "cut short": '{"a": [',
    "two documents": "{} {}",
    "byte order mark": "\ufeff{}",
    "deep arrays": "[" * _DEEP + "]" * _DEEP,
    "deep objects": '{"a":' * _DEEP + "1" + "}" * _DEEP,
    "deep and cut short": '{"a":[' * _DEEP,
    "many digits": '{"a":' + "9" * 10_000 + "}",
    "a great exponent": '{"a":1e999999}',
    "NaN": '{"a":NaN}',
    "repeated member": '{"a":1,"a":2}',
    "lone surrogate": '{"a":"\\ud800"}',
    "lone surrogate key": '{"\\udfff":["x"]}',
    "NUL": '{"a\\u0000":["\\u0000"]}',
    "control character": '{"a":"\x01"}',
    "single quotes": "{'a':1}",
}
_PATTERNS: Final[tuple[Any, ...]] = (
    *({"body": rule} for rule in _ANYTHING),
    *({"body": [{"numeric": rule}]} for rule in ([], ["="], ["<", "x"], [">", 1e308, "<", -1], ["=", 1, "=", 2], [7])),
    *({"body": [{"prefix": rule}]} for rule in _ANYTHING),
    *({"body": [{"anything-but": rule}]} for rule in _ANYTHING),
    *({"body": [{"exists": rule}]} for rule in _ANYTHING),
    *({"$or": rule} for rule in _ANYTHING),
    {"body": [{"equals-ignore-case": "x", "prefix": "y"}]},
    {"body": [{"no such": "rule"}]},
    {"body": [{"wildcard": "*" * 2000}]},
    {"body": ["x"] * 400},
)


def inner_cases() -> Iterator[Case]:
    """All of them."""
    for label, policy in _policies():
        yield _case("PutResourcePolicy", f"policy {label}", {"Policy": policy})
    for label, pattern in _filter_patterns():
        filters = {"FilterCriteria": {"Filters": [{"Pattern": pattern}]}}
        for operation in ("CreateEventSourceMapping", "UpdateEventSourceMapping"):
            yield _case(operation, f"pattern {label}", filters)
    for label, package in odd_packages():
        yield _case("CreateFunction", f"package {label}", {"Code": {"ZipFile": package}})
        yield _case("UpdateFunctionCode", f"package {label}", {"ZipFile": package})
        yield _case("PublishLayerVersion", f"package {label}", {"Content": {"ZipFile": package}})


def _case(operation: str, label: str, members: Mapping[str, Any]) -> Case:
    model = service_model().operation_model(operation)
    right = asked_rightly(model, Texts(Random(0)), KNOWN)
    return Case(
        label=f"{operation}: {label}",
        operation=operation,
        request=rendered(model, {**right, **members}),
        expect=Expect.ANYTHING,
    )


def _policies() -> Iterator[tuple[str, str]]:
    yield from _TEXTS.items()
    for value in _ANYTHING:
        shown = ascii(value)[:20]
        yield f"that is {shown}", json.dumps(value)
        for member in ("Version", "Statement", "Id"):
            whole = {"Version": "2012-10-17", "Statement": [_STATEMENT], member: value}
            yield f"of {member} {shown}", json.dumps(whole)
        for member in _STATEMENT:
            whole = {"Version": "2012-10-17", "Statement": [{**_STATEMENT, member: value}]}
            yield f"with {member} {shown}", json.dumps(whole)
        for condition in ({"StringEquals": value}, {"StringEquals": {"aws:PrincipalOrgID": value}}):
            whole = {"Version": "2012-10-17", "Statement": [{**_STATEMENT, "Condition": condition}]}
            yield f"with a condition {shown}", json.dumps(whole)


def _filter_patterns() -> Iterator[tuple[str, str]]:
    yield from ((label, text) for label, text in _TEXTS.items() if len(text) <= 4096)
    for pattern in _PATTERNS:
        yield ascii(pattern)[:40], json.dumps(pattern)
    depth = 800
    yield "deep", '{"a":' * depth + "[1]" + "}" * depth


def odd_packages() -> Iterator[tuple[str, bytes]]:
    """Zips that unpacking programs stumble over."""
    plain = _zip({"index.py": b"def handler(event, context):\n    return event\n"})
    yield "whole", plain
    yield "cut short", plain[:-5]
    yield "without its directory", plain[:60]
    yield "behind other bytes", b"#!/bin/sh\n" + plain
    yield "twice", plain + plain
    yield "with other sizes", plain.replace(struct.pack("<L", 46), struct.pack("<L", 2**31))
    yield "with a count of 65535", plain[:-14] + b"\xff\xff\xff\xff" + plain[-10:]
    yield "with a directory elsewhere", plain[:-6] + b"\xff\xff\xff\x7f" + plain[-2:]
    for name in (
        "../up.py",
        "/etc/absolute",
        "a\\b",
        "C:\\x",
        "a/../../b",
        "",
        ".",
        "//",
        "x/" * 2000,
        "y" * 5000,
        "n\0l",
    ):
        yield f"with the name {name[:20]!r}", _zip({"index.py": b"", name: b"x"})
    yield "with a file for a directory", _zip({"index.py": b"", "a": b"x", "a/b": b"y"})
    yield "with bombs", _zip({f"zeros{number}": bytes(10_000_000) for number in range(4)})
    yield "with 20,000 files", _zip({f"{number}.py": b"" for number in range(20_000)})
    link = zipfile.ZipInfo("link")
    for target in ("/etc/passwd", "../../..", "link", "\0"):
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        yield f"with a link to {target!r}", _zip({"index.py": b""}, (link, target.encode()))
    device = zipfile.ZipInfo("device")
    device.external_attr = (stat.S_IFCHR | 0o666) << 16
    yield "with a device", _zip({"index.py": b""}, (device, b""))
    encrypted = bytearray(plain)
    encrypted[6] |= 1
    yield "encrypted", bytes(encrypted)


def _zip(files: Mapping[str, bytes], *entries: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo("placeholder", date_time=(2024, 1, 1, 0, 0, 0))
            entry.filename = name  # as it is, where the constructor would mend it
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
        for entry, content in entries:
            archive.writestr(entry, content)
    return buffer.getvalue()
