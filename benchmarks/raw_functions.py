"""Functions in Python that speak the Runtime API themselves, so that what is measured isn't what Python makes of JSON.

Their modules never end being loaded: they ask for the first event while they are, which ends Init as it does on AWS.
"""

from typing import Final

_CLIENT: Final = """
import os, socket

_host, _, _port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
_path = "/2018-06-01/runtime/invocation/"
_socket = socket.create_connection((_host, int(_port)))
_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
_reader = _socket.makefile("rb")

def ask(head, body=b""):
    _socket.sendall((head + "\\r\\nHost: %s\\r\\n\\r\\n" % _host).encode())
    if body:
        _socket.sendall(body)
    return answer()

def answer():
    headers = {}
    while (line := _reader.readline().rstrip()) or not headers:
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    return headers, _reader.read(int(headers.get("content-length", 0)))

def next_event():
    headers, event = ask("GET " + _path + "next HTTP/1.1")
    return headers["lambda-runtime-aws-request-id"], event
"""

ECHO_OF_BYTES: Final = (
    _CLIENT
    + """
while True:
    request_id, event = next_event()
    ask("POST " + _path + request_id + "/response HTTP/1.1\\r\\nContent-Length: %d" % len(event), event)
"""
)

FIRST_PIECE: Final = b"the first piece"
PIECE_BYTES: Final = 65_536

STREAM: Final = (
    _CLIENT
    + f"""
FIRST_PIECE = {FIRST_PIECE!r}
PIECE = b"0123456789abcdef" * {PIECE_BYTES // 16}

def send(piece):
    _socket.sendall(b"%x\\r\\n%b\\r\\n" % (len(piece), piece))
"""
    + """
while True:
    request_id, event = next_event()
    head = "POST " + _path + request_id + "/response HTTP/1.1\\r\\nHost: " + _host
    head += "\\r\\nLambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
    _socket.sendall(head.encode())
    send(FIRST_PIECE)
    for _ in range(int(event)):
        send(PIECE)
    _socket.sendall(b"0\\r\\n\\r\\n")
    answer()
"""
)
"""Its event is a number of pieces, which it streams behind the first one."""
