"""Signs a request as botocore does, and then spoils the signature in a named way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.conformance.bad_requests.case import HttpRequest

_ADDED = ("X-Amz-Date", "X-Amz-Security-Token", "Authorization")


@dataclass(frozen=True, slots=True)
class Signer:
    """The root key of a server at `url`, for `region`."""

    url: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    service: str = "lambda"

    def sign(self, request: HttpRequest, tamper: str = "") -> HttpRequest:
        """The request with its signature; `tamper` is one of TAMPERINGS, or "" for a good signature."""
        return TAMPERINGS[tamper](self, request) if tamper else self.signed(request)

    def signed(self, request: HttpRequest, **changes: Any) -> HttpRequest:
        """A good signature, or one with another key, region, service, token or time."""
        auth: Any = _At(self._credentials(changes), changes.get("service", self.service), self._region(changes))
        auth.shift = changes.get("shift", timedelta())
        made = self._aws_request(request)
        auth.add_auth(made)
        added = (name for name in _ADDED if name in made.headers)
        return _with_headers(request, (*request.headers, *((name, made.headers[name]) for name in added)))

    def presigned(self, request: HttpRequest, expires: int = 60, shift: timedelta = timedelta()) -> HttpRequest:
        """Signed in the query."""
        auth: Any = _AtQuery(self._credentials({}), self.service, self.region, expires=expires)
        auth.shift = shift
        made = self._aws_request(request)
        auth.add_auth(made)
        target = made.url[len(self.url) :]
        return HttpRequest(method=request.method, target=target, headers=request.headers, body=request.body)

    def _credentials(self, changes: dict[str, Any]) -> Credentials:
        return Credentials(
            changes.get("access_key_id", self.access_key_id),
            changes.get("secret", self.secret_access_key),
            changes.get("token"),
        )

    def _region(self, changes: dict[str, Any]) -> str:
        return str(changes.get("region", self.region))

    def _aws_request(self, request: HttpRequest) -> Any:
        made = AWSRequest(request.method, self.url + request.target, data=request.body)
        for name, value in request.headers:
            made.headers[name] = value
        return made


class _Shifted:
    """Signs as if at another time: botocore writes the time into the request just before it signs."""

    shift = timedelta()

    def _modify_request_before_signing(self, request: Any) -> None:
        moment = datetime.now(UTC) + self.shift
        request.context["timestamp"] = moment.strftime("%Y%m%dT%H%M%SZ")
        super()._modify_request_before_signing(request)  # type: ignore[misc]


class _At(_Shifted, SigV4Auth):  # type: ignore[misc]
    pass


class _AtQuery(_Shifted, SigV4QueryAuth):  # type: ignore[misc]
    pass


def _with_headers(request: HttpRequest, headers: tuple[tuple[str, str], ...]) -> HttpRequest:
    return HttpRequest(method=request.method, target=request.target, headers=headers, body=request.body)


def _edited(name: str, edit: Callable[[str], str]) -> Callable[[Signer, HttpRequest], HttpRequest]:
    """Signed well, then one header edited; an empty result takes the header away."""

    def tamper(signer: Signer, request: HttpRequest) -> HttpRequest:
        signed = signer.signed(request)
        headers = ((key, edit(value) if key.lower() == name else value) for key, value in signed.headers)
        return _with_headers(signed, tuple(header for header in headers if header[1]))

    return tamper


def _added(*headers: tuple[str, str]) -> Callable[[Signer, HttpRequest], HttpRequest]:
    def tamper(signer: Signer, request: HttpRequest) -> HttpRequest:
        signed = signer.signed(request)
        return _with_headers(signed, signed.headers + headers)

    return tamper


def _signed(**changes: Any) -> Callable[[Signer, HttpRequest], HttpRequest]:
    return lambda signer, request: signer.signed(request, **changes)


def _presigned(expires: int = 60, minutes: int = 0, edit: Callable[[str], str] = str) -> Any:
    def tamper(signer: Signer, request: HttpRequest) -> HttpRequest:
        made = signer.presigned(request, expires, timedelta(minutes=minutes))
        return HttpRequest(method=made.method, target=edit(made.target), headers=made.headers, body=made.body)

    return tamper


def _other_body(signer: Signer, request: HttpRequest) -> HttpRequest:
    signed = signer.signed(request)
    return HttpRequest(method=signed.method, target=signed.target, headers=signed.headers, body=signed.body + b" ")


def _other_target(signer: Signer, request: HttpRequest) -> HttpRequest:
    signed = signer.signed(request)
    target = signed.target + ("&" if "?" in signed.target else "?") + "Extra=1"
    return HttpRequest(method=signed.method, target=target, headers=signed.headers, body=signed.body)


def _other_method(signer: Signer, request: HttpRequest) -> HttpRequest:
    return _with_headers(request, signer.signed(HttpRequest(method="PATCH", target=request.target)).headers)


def _flipped(value: str) -> str:
    return value[:-1] + ("0" if value[-1] != "0" else "1")


def _both(signer: Signer, request: HttpRequest) -> HttpRequest:
    return signer.signed(signer.presigned(request))


def _not_presigned_twice(target: str) -> str:
    """The same parameters again: which of the two would count?"""
    path, _, query = target.partition("?")
    again = "&".join(f"{quote(key)}={quote(value, safe='')}" for key, value in parse_qsl(query))
    return f"{path}?{query}&{again}"


TAMPERINGS: dict[str, Callable[[Signer, HttpRequest], HttpRequest]] = {
    "unsigned": lambda signer, request: request,
    "empty Authorization": lambda signer, request: _with_headers(request, (*request.headers, ("Authorization", " "))),
    "Basic": lambda signer, request: _with_headers(request, (*request.headers, ("Authorization", "Basic YTpi"))),
    "Bearer": lambda signer, request: _with_headers(request, (*request.headers, ("Authorization", "Bearer x.y.z"))),
    "signature flipped": _edited("authorization", _flipped),
    "signature cut": _edited("authorization", lambda value: value[:-10]),
    "signature upper case": _edited("authorization", lambda value: value[:-64] + value[-64:].upper()),
    "signature not hex": _edited("authorization", lambda value: value[:-64] + "\u00e9" * 64),
    "no signature": _edited("authorization", lambda value: value.split(", Signature")[0]),
    "no signed headers": _edited("authorization", lambda value: value.replace("SignedHeaders=", "X=")),
    "host not signed": _edited("authorization", lambda value: value.replace("host;", "")),
    "a header that isn't there": _edited("authorization", lambda value: value.replace("host;", "host;x-none;")),
    "signed headers twice": _edited("authorization", lambda value: value.replace("host;", "host;host;")),
    "credential of 4 parts": _edited("authorization", lambda value: value.replace("/aws4_request", "")),
    "another terminator": _edited("authorization", lambda value: value.replace("aws4_request", "aws5_request")),
    "another algorithm": _edited("authorization", lambda value: value.replace("SHA256", "SHA1", 1)),
    "SigV4a": _edited("authorization", lambda value: value.replace("AWS4-HMAC", "AWS4-ECDSA-P256", 1)),
    "Authorization of 60 KB": _edited("authorization", lambda value: value + ", " + "x=y," * 15_000),
    "unknown key": _signed(access_key_id="LKIAAAAAAAAAAAAAAAAA"),
    "odd key": _signed(access_key_id="\u00e9' OR 1=1 --"),
    "empty secret": _signed(secret=""),
    "wrong secret": _signed(secret="x" * 40),
    "session token": _signed(token="FQoGZXIvYXdzEBY"),
    "foreign region": _signed(region="eu-north-1"),
    "foreign service": _signed(service="s3"),
    "16 minutes old": _signed(shift=timedelta(minutes=-16)),
    "16 minutes early": _signed(shift=timedelta(minutes=16)),
    "50 years old": _signed(shift=timedelta(days=-18_000)),
    "no date": _edited("x-amz-date", lambda value: ""),
    "odd date": _edited("x-amz-date", lambda value: "20240230T250000Z"),
    "Arabic date": _edited("x-amz-date", lambda value: "\u0662\u0660240101T000000Z"),
    "another second": _edited("x-amz-date", lambda value: value[:-3] + ("00Z" if value[-3:] != "00Z" else "01Z")),
    "header added": _added(("X-Amz-Extra", "1")),
    "payload hash added": _added(("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")),
    "streaming payload": _added(("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")),
    "signed twice": _added(("Authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=f")),
    "another body": _other_body,
    "another query": _other_target,
    "another method": _other_method,
    "header and query": _both,
    "presigned, expired": _presigned(expires=60, minutes=-2),
    "presigned, early": _presigned(minutes=20),
    "presigned for 8 days": _presigned(expires=691_200),
    "presigned for nothing": _presigned(expires=0),
    "presigned backwards": _presigned(expires=-60),
    "presigned, flipped": _presigned(edit=_flipped),
    "presigned, longer": _presigned(edit=lambda target: target.replace("Expires=60", "Expires=6000")),
    "presigned, odd expiry": _presigned(edit=lambda target: target.replace("Expires=60", "Expires=%D9%A6")),
    "presigned, half": _presigned(edit=lambda target: target.split("&X-Amz-Expires")[0]),
    "presigned twice": _presigned(edit=_not_presigned_twice),
}
"""All of them must be refused."""
