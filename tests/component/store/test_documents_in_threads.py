"""Stored documents are read in several threads, of which more than one may be the first to meet a shape."""

import subprocess
import sys

FIRST_MEETINGS = """
import dataclasses, sys, threading
from lampion.store.documents import decode

sys.setswitchinterval(1e-6)
problems = []
for number in range(150):
    inner = dataclasses.make_dataclass("Inner", [(f"a{member}", "int") for member in range(30)])
    shape = dataclasses.make_dataclass("Shape", [("first", inner), ("second", "int | None"), ("third", inner)])
    text = "{" + ",".join(f'"a{member}":{member}' for member in range(30)) + "}"
    document = f'{{"first":{text},"second":1,"third":{text}}}'.encode()
    together = threading.Barrier(4)

    def meet():
        together.wait()
        try:
            assert decode(document, shape).third.a29 == 29
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=meet) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert not problems, problems[:3]
"""


def test_threads_that_meet_a_shape_at_once_read_it_whole() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", FIRST_MEETINGS], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
