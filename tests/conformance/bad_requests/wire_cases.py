"""Cases that the service model doesn't give: bodies, queries, paths, methods, signatures."""

from collections.abc import Iterator, Mapping

from tests.conformance.bad_requests.broken_http import broken_http_cases
from tests.conformance.bad_requests.case import Case, Expect, HttpRequest
from tests.conformance.bad_requests.signing import TAMPERINGS

_JSON = (("Content-Type", "application/json"),)
_V = "/2015-03-31/functions"

BODIES: Mapping[str, bytes] = {
    "cut short": b'{"FunctionName": ',
    "one brace": b"{",
    "many braces": b"{" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep arrays": b'{"Layers":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an array": b"[]",
    "a number": b"1",
    "a string": b'"FunctionName"',
    "true": b"true",
    "not UTF-8": b'{"FunctionName":"\xff\xfe"}',
    "overlong UTF-8": b'{"FunctionName":"\xc0\xaf"}',
    "surrogate in UTF-8": b'{"FunctionName":"\xed\xa0\x80"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"FunctionName":"a"}'.encode("utf-16"),
    "NaN": b'{"Timeout":NaN}',
    "Infinity": b'{"Timeout":-Infinity}',
    "1e999999": b'{"Timeout":1e999999}',
    "many digits": b'{"Timeout":' + b"9" * 100_000 + b"}",
    "repeated member": b'{"FunctionName":"a","FunctionName":"b"}',
    "trailing text": b"{} {}",
    "trailing comma": b'{"FunctionName":"a",}',
    "comment": b'{/* */"FunctionName":"a"}',
    "single quotes": b"{'FunctionName':'a'}",
    "control character": b'{"FunctionName":"a\x01"}',
    "bad escape": b'{"FunctionName":"\\x41"}',
    "lone surrogate key": b'{"\\ud800":1}',
    "NUL bytes": b"\0" * 1000,
    "XML": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    "a form": b"FunctionName=a&Role=b",
    "gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    "blanks": b" " * 10_000,
    "2 MB in a name": b'{"FunctionName":"' + b"a" * 2_000_000 + b'"}',
    "100,000 members": b"{" + b",".join(b'"k%d":1' % n for n in range(100_000)) + b"}",
    "1,000,000 elements": b'{"Layers":[' + b",".join([b"1"] * 1_000_000) + b"]}",
}
_CONTENT_TYPES = (
    "",
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/x-amz-json-1.1",
    "\u00e9/\u00e8",
    "a" * 5000,
)
_QUERIES = (
    "&&==&",
    "MaxItems",
    "MaxItems=",
    "MaxItems=1&MaxItems=2",
    "MaxItems=0&MaxItems=99999999999999999999",
    "MaxItems=-1",
    "MaxItems=%",
    "MaxItems=%zz",
    "MaxItems=%00",
    "MaxItems=%D9%A3",
    "MaxItems=1_0",
    "MaxItems=0x10",
    "MaxItems=+5",
    "MaxItems=%205",
    "MaxItems=1e3",
    "MaxItems=5.0",
    "MaxItems=" + "9" * 5000,
    "Marker=",
    "Marker=garbage",
    "Marker=%ED%A0%80",
    "Marker=%F0%9F%98%80",
    "Marker=" + "A" * 30_000,
    "Marker=eyJhIjoxfQ%3D%3D",
    "Marker=../../x&Marker=y",
    "FunctionVersion=all",
    "FunctionVersion=ALL&FunctionVersion=NONE",
    "functionversion=ALL",
    "MasterRegion=nowhere",
    "%4DaxItems=1",
    "Max%49tems=x",
    "\u00e9=\u00e8",
    "&".join(f"a{n}={n}" for n in range(3000)),
)
_PATHS = (
    "",
    "/",
    "//",
    "/*",
    "/%00",
    "/%",
    "/%zz",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/../../etc/passwd",
    "/2015-03-31",
    "/2015-03-31/",
    "/2015-03-30/functions",
    "/2015-03-31/Functions",
    "/2015-03-31/functions//",
    "//2015-03-31//functions",
    "/2015-03-31/./functions",
    "/2015-03-31/x/../functions",
    "/2015-03-31/functions;a=b",
    "/2015-03-31%2Ffunctions",
    f"{_V}/%2F",
    f"{_V}/%2e%2e",
    f"{_V}/..%2f..%2f",
    f"{_V}/%00",
    f"{_V}/a%00b",
    f"{_V}/%c0%af",
    f"{_V}/%ed%a0%80",
    f"{_V}/%F0%9F%98%80",
    f"{_V}/e%CC%81",
    f"{_V}/%",
    f"{_V}/%4",
    f"{_V}/%25252525",
    f"{_V}/a+b",
    f"{_V}/a%0d%0aX-Injected:%201",
    f"{_V}/\u00e9",
    f"{_V}/{'a' * 141}",
    f"{_V}/{'a' * 60_000}",
    f"{_V}/{'/' * 5000}",
    f"{_V}/arn:aws:lambda:us-east-1:123456789012:function:",
    f"{_V}/arn:aws:lambda:eu-west-1:210987654321:function:other",
    f"{_V}/a/b/c/d/e",
    f"{_V}/a/configuration/x",
    f"{_V}/a/code",
    f"{_V}/a/invocations",
    "/_lampion",
    "/_lampion/",
    "/_lampion/logs/",
    "/_lampion/logs/..",
    "/_lampion/logs/%2e%2e%2f%2e%2e",
    "/_lampion/logs/nothing?after=x&since=y&wait=z",
    "/_lampion/logs/nothing?wait=-1&after=99999999999999999999999",
    "/_lampion/metrics/..",
    "/_lampion/metrics/%ff%00",
    "/_lampion/status/x",
    "/_lampion/health/x",
    "/_lampion/clock/x",
    "/_lampion/code/",
    "/_lampion/code/" + "0" * 64,
    "/_lampion/code/" + "0" * 63,
    "/_lampion/code/../../lampion.db",
    "/latest/meta-data/",
    "/2018-06-01/runtime/invocation/next",
    "/favicon.ico",
)
_METHODS = ("HEAD", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "MKCOL", "POST", "PUT", "DELETE", "GET")


def http_cases(name: str) -> Iterator[Case]:
    """All of them; `name` is a function that exists. Deletes it when the server is wrong."""
    yield from _bodies(name)
    for query in _QUERIES:
        yield _case(f"ListFunctions, query {query[:40]}", HttpRequest(method="GET", target=f"{_V}?{query}"))
    for path in _PATHS:
        yield _case(f"path {path[:40]}", HttpRequest(method="GET", target=path or "/"))
    for method in _METHODS:
        for path in ("/2015-03-31/nothing", f"{_V}/{name}/nothing", "/"):
            expect = Expect.REFUSED
            yield _case(f"{method} {path}", HttpRequest(method=method, target=path), expect)
    yield from _signatures(name)
    yield from _headers(name)
    yield from broken_http_cases()


def _case(label: str, request: HttpRequest, expect: Expect = Expect.ANYTHING, operation: str = "") -> Case:
    return Case(label=label, request=request, expect=expect, operation=operation)


def _bodies(name: str) -> Iterator[Case]:
    doors = {
        "CreateFunction": HttpRequest(method="POST", target=_V),
        "UpdateFunctionConfiguration": HttpRequest(method="PUT", target=f"{_V}/{name}/configuration"),
        "UpdateFunctionCode": HttpRequest(method="PUT", target=f"{_V}/{name}/code"),
        "Invoke": HttpRequest(method="POST", target=f"{_V}/{name}/invocations"),
        "GetFunction": HttpRequest(method="GET", target=f"{_V}/{name}"),
        "TagResource": HttpRequest(method="POST", target="/2017-03-31/tags/arn"),
    }
    for operation, door in doors.items():
        refused = operation in {"CreateFunction", "UpdateFunctionCode"}
        for label, body in BODIES.items():
            made = HttpRequest(method=door.method, target=door.target, headers=_JSON, body=body)
            yield _case(f"{operation}, body {label}", made, Expect.REFUSED if refused else Expect.ANYTHING, operation)
        for content_type in _CONTENT_TYPES:
            headers = (("Content-Type", content_type),) if content_type else ()
            made = HttpRequest(method=door.method, target=door.target, headers=headers, body=b'{"NoSuch": 1')
            yield _case(f"{operation}, {content_type[:30] or 'no content type'}", made, operation=operation)


def _signatures(name: str) -> Iterator[Case]:
    requests = (
        HttpRequest(method="GET", target=_V),
        HttpRequest(method="DELETE", target=f"{_V}/{name}"),
        HttpRequest(
            method="PUT", target=f"{_V}/{name}/configuration", headers=_JSON, body=b'{"Description": "stolen"}'
        ),
        HttpRequest(method="POST", target=f"{_V}/{name}/invocations", body=b"{}"),
        HttpRequest(method="GET", target=f"/_lampion/logs/{name}"),
        HttpRequest(method="GET", target=f"/_lampion/metrics/{name}"),
    )
    for request in requests:
        for tampering in TAMPERINGS:
            label = f"{request.method} {request.target}, {tampering}"
            yield Case(label=label, request=request, expect=Expect.REFUSED, tamper=tampering)


def _headers(name: str) -> Iterator[Case]:
    """Headers that Invoke reads, odd ones."""
    odd = ("", " ", "nonsense", "\u00e9", "e30", "e30=", "bm90IGpzb24=", "x" * 5000, "null", "\x7f", "[]", "W10=")
    for header in (
        "X-Amz-Client-Context",
        "X-Amz-Invocation-Type",
        "X-Amz-Log-Type",
        "X-Amzn-Trace-Id",
        "X-Amz-Tenant-Id",
    ):
        for value in odd:
            request = HttpRequest(
                method="POST", target=f"{_V}/{name}/invocations", headers=((header, value),), body=b"{}"
            )
            yield _case(f"Invoke, {header} {value[:20]!r}", request)
