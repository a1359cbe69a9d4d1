"""A process that has started and waits to become a function's: itself, or copies of itself when it is a zygote.

Whatever is loaded here is in the memory of every function of this interpreter, so it holds nothing of any function.
"""

import gc
import importlib
import os
import sys
import time
from importlib.machinery import ExtensionFileLoader, ModuleSpec

import _lampion_imports as imports

if False:
    from typing import Iterable

_MODULE = "/var/lampion/lampion-zygote.so"
_REQUESTS_DESCRIPTOR = 3
_ORDERS_DESCRIPTOR = 4
_READ_BYTES = 65536
# Private parts of the standard library, which no file of a function can stand in for, that almost every program loads.
_PRIVATE = (
    "_bisect _blake2 _bz2 _contextvars _csv _datetime _hashlib _lzma _opcode _posixsubprocess _random _sha1 _sha2"
    " _sha256 _sha512 _socket _ssl _struct _uuid array binascii fcntl select unicodedata zlib"
).split()


def become_copy() -> None:
    """Serve as a zygote; returns in a copy that has learned which function it is, with that function's environment."""
    preload(sorted(imports.LOADED_BY_AWS))
    preload(_PRIVATE)
    serve = _load_module().serve
    gc.collect()
    gc.freeze()  # a collection in a copy would write to, and so copy, every page of objects that all share
    if not serve(_REQUESTS_DESCRIPTOR):
        sys.exit(0)
    gc.unfreeze()
    take_orders(_ORDERS_DESCRIPTOR)


def preload(names: "Iterable[str]") -> None:
    """Load what this interpreter has of it."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:  # another version's, or not compiled in
            pass


def take_orders(descriptor: int) -> None:
    """Read the function's environment, NAME=VALUE with a NUL after each, and make it this process's own."""
    pieces = []
    while True:
        piece = os.read(descriptor, _READ_BYTES)
        if not piece:
            break
        pieces.append(piece)
    os.close(descriptor)
    variables = b"".join(pieces).split(b"\0")[:-1]
    if not variables:
        sys.exit(0)  # whoever would have given them has gone
    environ = os.environb
    environ.clear()
    for variable in variables:
        name, _, value = variable.partition(b"=")
        environ[name] = value
    time.tzset()
    sys.path[:0] = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    os.chdir(os.environ.get("PWD", "/"))


def _load_module():  # type: ignore[no-untyped-def]
    loader = ExtensionFileLoader("_lampion_zygote", _MODULE)
    module = loader.create_module(ModuleSpec("_lampion_zygote", loader, origin=_MODULE))
    loader.exec_module(module)
    return module
