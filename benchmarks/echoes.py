"""An echo in every language that functions are written in, packed as its runtime wants it."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.functions import ECHO, ECHO_NODE, HANDLER, MODULE, package, zipped

_COMPILE_SECONDS: Final = 120

_RUBY: Final = "def handler(event:, context:)\n  event\nend\n"
_JAVA: Final = """
import java.util.Map;

public class app {
    public Map<String, Object> handler(Map<String, Object> event) {
        return event;
    }
}
"""
_CSHARP: Final = (
    "public static class Echo { public static System.IO.Stream Handle(System.IO.Stream event_) => event_; }"
)
_BUILD_DOTNET: Final = Path(__file__).parents[1] / "scripts/build-dotnet-runtime"
_DOTNET: Final = ".NETCoreApp,Version=v3.1"
_DOTNET_FILES: Final = {
    "Echo.deps.json": {
        "runtimeTarget": {"name": _DOTNET},
        "targets": {_DOTNET: {"Echo/1.0.0": {"runtime": {"Echo.dll": {}}}}},
        "libraries": {"Echo/1.0.0": {"type": "project", "serviceable": False, "sha512": ""}},
    },
    "Echo.runtimeconfig.json": {
        "runtimeOptions": {
            "framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"},
            "configProperties": {"System.Globalization.Invariant": True},
        }
    },
}
_C: Final = r"""
/* A custom runtime with nothing in it: what any compiled language's start can't be faster than. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static char answer[1 << 16], request[1 << 16];

static char *receive(int connection, size_t *body_bytes)
{
    size_t have = 0;
    for (;;) {
        ssize_t count = read(connection, answer + have, sizeof answer - 1 - have);
        if (count <= 0)
            exit(1);
        answer[have += count] = 0;
        char *body = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "content-length:");
        if (body == NULL || length == NULL)
            continue;
        *body_bytes = strtoul(length + 15, NULL, 10);
        if (answer + have >= body + 4 + *body_bytes)
            return body + 4;
    }
}

int main(void)
{
    char *address = getenv("AWS_LAMBDA_RUNTIME_API"), *colon = strchr(address, ':'), id[64];
    size_t size;
    *colon = 0;
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(colon + 1))};
    inet_pton(AF_INET, address, &server.sin_addr);
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&server, sizeof server) < 0)
        return 1;
    for (;;) {
        int length = sprintf(request, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: r\r\n\r\n");
        if (write(connection, request, length) != length)
            return 1;
        char *event = receive(connection, &size);
        sscanf(strcasestr(answer, "lambda-runtime-aws-request-id:") + 30, " %63[^\r]", id);
        length = sprintf(request,
            "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: r\r\nContent-Length: %zu\r\n\r\n",
            id, size);
        memcpy(request + length, event, size);
        if (write(connection, request, length + size) != (ssize_t)(length + size))
            return 1;
        receive(connection, &size);
    }
}
"""


class NoEcho(Exception):
    """There can be none here; the message says why."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A handler's name, and how its deployment package is made; that may raise NoEcho."""

    handler: str
    package: Callable[[], bytes]


def _java() -> bytes:
    with tempfile.TemporaryDirectory(prefix="lampion-test-echo-") as directory:
        source = Path(directory, f"{MODULE}.java")
        source.write_text(_JAVA)
        _compile("javac", "--release", "8", "-nowarn", str(source))
        return zipped({f"{MODULE}.class": Path(directory, f"{MODULE}.class").read_bytes()})


def _dotnet() -> bytes:
    with tempfile.TemporaryDirectory(prefix="lampion-test-echo-") as directory:
        source, library = Path(directory, "Echo.cs"), Path(directory, "Echo.dll")
        source.write_text(_CSHARP)
        _compile(str(_BUILD_DOTNET), "--library", str(source), str(library))
        settings = {name: json.dumps(content).encode() for name, content in _DOTNET_FILES.items()}
        return zipped({"Echo.dll": library.read_bytes(), **settings})


def _compiled() -> bytes:
    with tempfile.TemporaryDirectory(prefix="lampion-test-echo-") as directory:
        source, program = Path(directory, "bootstrap.c"), Path(directory, "bootstrap")
        source.write_text(_C)
        _compile("cc", "-O2", "-static", "-D_GNU_SOURCE", "-o", str(program), str(source))
        return zipped({"bootstrap": program.read_bytes()}, mode=0o755)


def _compile(*command: str) -> None:
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=_COMPILE_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise NoEcho(f"its function can't be compiled: {said.strip()[-200:]}") from error


ECHOES: Final = {
    "python": Echo(HANDLER, lambda: package(ECHO)),
    "nodejs": Echo(HANDLER, lambda: package(ECHO_NODE, ".js")),
    "ruby": Echo(HANDLER, lambda: package(_RUBY, ".rb")),
    "java": Echo(f"{MODULE}::handler", _java),
    "dotnet": Echo("Echo::Echo::Handle", _dotnet),
    "provided": Echo("bootstrap", _compiled),
}
"""By language, as `lampion runtimes` names it."""
