"""Node.js's command line as AWS's bootstrap makes it, and which variables it reads only when it starts. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

_ALWAYS: Final = ("--expose-gc", "--max-http-header-size=81920")
_REQUIRE_MODULE: Final = "experimental-require-module"
_DETECT_MODULE: Final = "experimental-detect-module"
_KNOWS_REQUIRE_MODULE: Final = (20, 17)  # earlier ones refuse to start with the option

_READ_AT_START: Final = re.compile(
    r"NODE_.*|LD_.*|GLIBC_TUNABLES|MALLOC_.*|LANG|LANGUAGE|LC_.*|ICU_DATA|TZDIR"
    r"|UV_.*|OPENSSL_.*|SSL_CERT_.*|AWS_LAMBDA_EXEC_WRAPPER"
)
_READ_LATER: Final = frozenset({"NODE_ENV", "NODE_PATH", "NODE_TLS_REJECT_UNAUTHORIZED"})
"""NODE_PATH is read again by the runtime itself."""


def node_options(version: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Options for a function with that environment; what its NODE_OPTIONS sets itself is left out."""
    memory = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    options = waiting_node_options(version, int(memory) if memory else None)
    own = {_name(word) for word in environ.get("NODE_OPTIONS", "").split() if word.startswith("--")}
    return tuple(option for option in options if _name(option) not in own)


def waiting_node_options(version: str, memory_mib: int | None) -> tuple[str, ...]:
    """Options for a worker whose function isn't known yet, or only the memory that it will have."""
    return (*_ALWAYS, *_heap(memory_mib), *_modules(version))


def can_use_node_worker(environ: Mapping[str, str], worker: Mapping[str, str]) -> bool:
    """Whether a process that was started with the variables `worker` can still become one with `environ`.

    It can't when they differ in a variable that Node.js or the C library reads only when the process starts. Every
    NODE_ variable that isn't known to be read later counts as one.
    """
    names = {name for name in environ.keys() | worker.keys() if _READ_AT_START.fullmatch(name)}
    return all(environ.get(name) == worker.get(name) for name in names - _READ_LATER)


def _heap(memory_mib: int | None) -> Iterator[str]:
    """A tenth for new objects, whose space is halved; the rest for old ones."""
    if memory_mib is not None:
        new_mib = memory_mib // 10
        yield f"--max-semi-space-size={new_mib // 2}"
        yield f"--max-old-space-size={memory_mib - new_mib}"


def _modules(version: str) -> Iterator[str]:
    """What AWS switches off: experimental at the time, on by default in Node.js 20 and 22."""
    major, minor = (int(number) for number in version.split(".")[:2])
    if major in (20, 22) and (major, minor) >= _KNOWS_REQUIRE_MODULE:
        yield f"--no-{_REQUIRE_MODULE}"
    if major == 22:
        yield f"--no-{_DETECT_MODULE}"


def _name(option: str) -> str:
    """--max-old-space-size=100, --max_old_space_size, --no-x and --x name the same options."""
    return option.partition("=")[0].replace("_", "-").removeprefix("--").removeprefix("no-")
