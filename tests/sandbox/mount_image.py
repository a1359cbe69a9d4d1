"""Mounts an image with the launcher's own function and tells what is in it. Run in a mount namespace of its own:
`python mount_image.py LIBRARY IMAGE DIRECTORY`."""

import ctypes
import json
import os
import sys
from pathlib import Path

import msgspec

from lampion.code.manifest import survey

_MOVE_MOUNT = 429
_FROM_DESCRIPTOR = 4
_AT_FDCWD = -100


def main(library: str, image: str, directory: str) -> None:
    open_image = ctypes.CDLL(library, use_errno=True).open_image
    open_image.argtypes = [ctypes.c_char_p]
    tree = open_image(image.encode())
    if tree < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    kernel = ctypes.CDLL(None, use_errno=True).syscall
    assert kernel(_MOVE_MOUNT, tree, b"", _AT_FDCWD, directory.encode(), _FROM_DESCRIPTOR) == 0
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    (options,) = (fields[5] for fields in mounts if fields[4] == directory)
    opened = [path for path in list(Path("/proc/self/fd").iterdir()) if path.exists()]
    print(json.dumps({"options": options, "opened": len(opened), "tree": msgspec.to_builtins(survey(Path(directory)))}))


main(*sys.argv[1:])
