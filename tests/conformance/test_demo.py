"""The tour that `make demo` gives: what it shows, and that nothing of it stays."""

import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.tree import ROOT
from tests.live_server import clean_environ

SECONDS = 100


def test_the_demo_shows_both_functions_and_leaves_nothing_behind(marked_root: Path) -> None:
    folder = marked_root / "demo"
    folder.mkdir()
    demo = subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "demo.py")],
        env={**clean_environ(), "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = demo.communicate(timeout=SECONDS)
    finally:
        demo.kill()
    assert demo.returncode == 0, output
    assert output.count('{"statusCode": 200, "body": "Hello World"}') == 2, output
    assert "344 rows" in output
    assert '"mean": 43.9219' in output
    assert "REPORT RequestId: " in output
    assert "The server is up at http://127.0.0.1:" in output
    assert output.rstrip().endswith("nothing is left behind.")

    assert list(folder.iterdir()) == []
    assert [path for path, _, _ in os.walk("/sys/fs/cgroup") if f"lampion-demo-{demo.pid}" in path] == []
