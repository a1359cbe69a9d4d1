"""`python -c pass`: what starting an interpreter costs, the yardstick of first answers."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.systems.child import plain_environ
from benchmarks.systems.system import Running, Scratch, alone


class PythonPass:
    """Not a server: its first answer is its end."""

    workloads = frozenset({"cold_first"})

    def __init__(self, name: str) -> None:
        self.name = name

    def missing(self) -> str | None:
        return None

    def versions(self) -> Mapping[str, str]:
        return {"python": sys.version.split()[0]}

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        environ = plain_environ(scratch.directory)

        def first_answer_seconds() -> float:
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", "pass"], env=environ, cwd=scratch.directory, check=True)
            return time.perf_counter() - began

        yield Running(first_answers=alone(first_answer_seconds))
