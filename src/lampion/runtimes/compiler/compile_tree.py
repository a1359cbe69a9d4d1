"""Compiles the Python files of a tree and writes their bytecode to standard output; nothing of the tree is run.

Started in a sandbox by the interpreter that will run the function, as `python -I -S -W error compile_tree.py TREE ROOT`;
ROOT, without its first slash, is where the function will see the tree. Whoever reads the output trusts none of it: a source may take this process
over. Frames: length of the path, length of the content (both 4 bytes, big endian), path, content. The first one, without
a path, holds the cache tag; in all others the path is a source's, below TREE.

`-W error`: a file whose compilation warns stays without bytecode, so that the warning shows up where it does on AWS.
"""

import os
import struct
import sys
from importlib import _bootstrap_external as external  # type: ignore[attr-defined]  # what py_compile itself uses
from importlib.machinery import SourceFileLoader
from importlib.util import source_hash

if False:
    from typing import BinaryIO, Iterator, Tuple

_SOURCE_BYTES_MAX = 16 * 1024 * 1024
_ADDRESS_SPACE_BYTES = 2 * 1024 * 1024 * 1024
_CPU_SECONDS = 30


def limit_resources() -> None:
    """The sandbox has limits of its own; these hold where it is only a process."""
    try:
        import resource
    except ImportError:
        return
    for kind, amount in (
        (resource.RLIMIT_AS, _ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(kind, (amount, amount))


def sources(tree: str) -> "Iterator[Tuple[int, str]]":
    """Size and path below `tree` of each Python file whose bytecode isn't there; links aren't followed."""
    pending = [""]
    while pending:
        directory = pending.pop()
        for entry in os.scandir(os.path.join(tree, directory)):
            path = os.path.join(directory, entry.name)
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    pending.append(path)
            elif entry.name.endswith(".py") and entry.is_file(follow_symlinks=False):
                if not os.path.lexists(external.cache_from_source(os.path.join(tree, path))):
                    yield entry.stat().st_size, path


def bytecode(tree: str, root: str, path: str) -> bytes:
    """The file's bytecode, marked to be used without a look at the source. Raises whatever the compiler does."""
    with open(os.path.join(tree, path), "rb") as file:
        source = file.read()
    code = SourceFileLoader("<compiled>", path).source_to_code(source, os.path.join(root, path))
    return bytes(external._code_to_hash_pyc(code, source_hash(source), False))


def write_frame(output: "BinaryIO", path: bytes, content: bytes) -> None:
    output.write(struct.pack(">II", len(path), len(content)) + path + content)
    output.flush()


def main(tree: str, root: str) -> None:
    output = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    limit_resources()
    write_frame(output, b"", sys.implementation.cache_tag.encode())
    for size_bytes, path in sorted(sources(tree)):  # the smallest first: what could exhaust the limits comes last
        if size_bytes > _SOURCE_BYTES_MAX:
            break
        try:
            content = bytecode(tree, root, path)
        except Exception:
            continue  # no bytecode; the function meets the same failure if it ever imports this file
        write_frame(output, os.fsencode(path), content)


if __name__ == "__main__":
    main(sys.argv[1], "/" + sys.argv[2])
