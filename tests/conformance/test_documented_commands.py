"""Commands that the documentation tells people to type, typed. Blocks are marked `<!-- run: name -->`."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, our_files, text_of
from tests.live_server import LiveServer, clean_environ

BLOCK = re.compile(r"^<!-- run: (.+?) -->\n```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SECONDS = 100


def blocks() -> Iterator[tuple[str, str]]:
    for page in our_files():
        if page.suffix == ".md":
            yield from ((f"{page}: {name}", commands) for name, commands in BLOCK.findall(text_of(page)))


BLOCKS = dict(blocks())

EXPECTED = {
    "README.md: quick start": '{"statusCode": 200, "body": "Hello World"}',
    "docs/tutorial/first-function.md: first function": '{"greeting": "Good evening Ada"}',
    "docs/concepts/identity.md: roles and policies": "allowed by role_orders_queue (role)",
    "docs/concepts/identity.md: a key of a service": "removed LSIA",
    "docs/concepts/keys.md: a key": "s3cret",
    "docs/concepts/environment-variables.md: encrypted variables": '"Hello"',
    "docs/concepts/keys.md: encrypted code": '"from memory"',
    "docs/how-to/point-a-client.md: point a client": '"Functions": []',
    "docs/how-to/call-a-function-by-url.md: a function URL": "Hello Ada",
    "docs/how-to/share-code-in-a-layer.md: a layer": '"Good evening Grace"',
    "docs/how-to/run-an-extension.md: an extension": "State: Ready\tEvents: [INVOKE, SHUTDOWN]",
    "docs/how-to/receive-telemetry.md: a telemetry extension": "TELEMETRY platform.report",
    "docs/how-to/get-failed-events-back.md: failed events": "Hello Ada",
    "docs/how-to/improve-isolation.md: doctor": "grade",
    "docs/how-to/install-an-interpreter.md: list runtimes": "provided.al2023 the function's own program, on ",
}


def test_every_marked_block_has_an_expectation() -> None:
    assert set(BLOCKS) == set(EXPECTED)


@pytest.mark.parametrize("block", EXPECTED)
def test_the_commands_work_as_they_stand(block: str, private_server: LiveServer, marked_root: Path) -> None:
    checkout = checkout_in(marked_root / "checkout")
    done = subprocess.run(
        ["/bin/sh", "-eu"],
        input=BLOCKS[block].replace("/tmp/", f"{checkout}/"),
        cwd=checkout,
        env={**clean_environ(), "LAMPION_DATA": str(private_server.data), "AWS_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert EXPECTED[block] in done.stdout


def checkout_in(folder: Path) -> Path:
    """What a reader's directory holds after `make setup`: the examples and the virtual environment."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder
