"""`python -m tests.chaos.killed_move AT -- ARGUMENTS`: runs `lampion ARGUMENTS`, and dies by SIGKILL before the line of
our own code that is the AT-th since the store is open, in whatever thread; AT 0 counts them, on stderr, instead.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any, Final

import lampion
from lampion.cli.main import run

_OURS: Final = str(Path(lampion.__file__).parent)
_RANDOMNESS: Final = str(Path(lampion.__file__).parent / "clock" / "rng.py")
"""Half of all lines, which make ids ahead and touch nothing else."""
_BEGINS_IN: Final = (str(Path(lampion.__file__).parent / "identity" / "rewrapping.py"), "move")


class Countdown:
    """A trace function (sys.settrace) that counts lines."""

    def __init__(self, at: int) -> None:
        self._at = at
        self._begun = False
        self.lines = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_OURS) or frame.f_code.co_filename == _RANDOMNESS:
            return None
        self._begun = self._begun or (frame.f_code.co_filename, frame.f_code.co_name) == _BEGINS_IN
        if self._begun and event == "line":
            self.lines += 1
            if self.lines == self._at:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def main(arguments: list[str]) -> int:
    countdown = Countdown(int(arguments[0]))
    threading.settrace(countdown)
    sys.settrace(countdown)
    code = run(arguments[2:])
    sys.settrace(None)
    threading.settrace(None)
    if arguments[0] == "0":
        print(f"lines {countdown.lines}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
