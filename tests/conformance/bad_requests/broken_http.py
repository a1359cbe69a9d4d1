"""Below AWS's API: what isn't HTTP, or is HTTP of a kind that can be read in two ways."""

from collections.abc import Iterator

from tests.conformance.bad_requests.case import Case, Expect


def broken_http_cases() -> Iterator[Case]:
    """Each is sent alone on its connection."""
    host, end = b"Host: localhost\r\n", b"\r\n"
    get = b"GET /2015-03-31/functions HTTP/1.1\r\n"
    post = b"POST /2015-03-31/functions HTTP/1.1\r\n" + host
    refused = {
        "not HTTP": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" * 20 + b"\r\n\r\n",
        "garbage": bytes(range(256)) + b"\r\n\r\n",
        "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "HTTP/9.9": b"GET / HTTP/9.9\r\n" + host + end,
        "HTTP/0.9": b"GET /2015-03-31/functions\r\n\r\n",
        "two lengths": post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "negative length": post + b"Content-Length: -1\r\n\r\n",
        "length and chunks": post + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "length in hex": post + b"Content-Length: 0x2\r\n\r\n{}",
        "length beyond reason": post + b"Content-Length: 99999999999999999999\r\n\r\n",
        "bad chunk size": post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "unknown coding": post + b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
        "folded header": get + host + b"X-A: 1\r\n 2\r\n\r\n",
        "blank before colon": get + b"Host : localhost\r\n\r\n",
        "no colon": get + host + b"nonsense\r\n\r\n",
        "NUL in a header": get + host + b"X-A: a\0b\r\n\r\n",
        "two hosts": get + host + host + end,
        "head of 70 KB": get + host + b"X-A: " + b"a" * 70_000 + b"\r\n\r\n",
        "10,000 headers": get + host + b"".join(b"X-%d: 1\r\n" % n for n in range(10_000)) + end,
        "blank in the path": b"GET /2015-03-31/func tions HTTP/1.1\r\n" + host + end,
        "raw bytes in the path": b"GET /2015-03-31/functions/\xff\xfe HTTP/1.1\r\n" + host + end,
        "CONNECT": b"CONNECT localhost:443 HTTP/1.1\r\n" + host + end,
        "absolute address": b"GET http://localhost/2015-03-31/functions HTTP/1.1\r\n" + host + end,
        "lower-case method": b"get /2015-03-31/functions HTTP/1.1\r\n" + host + end,
        "unknown method": b"FROBNICATE / HTTP/1.1\r\n" + host + end,
        "websocket": get + host + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "bare line feeds": b"GET /2015-03-31/functions HTTP/1.1\nHost: localhost\n\n",
        "no host": get + end,
        "two requests, one hidden": post + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    }
    for label, wire in refused.items():
        yield Case(label=f"HTTP: {label}", wire=wire, expect=Expect.REFUSED)
