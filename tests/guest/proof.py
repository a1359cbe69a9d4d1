"""Runs inside the guest: the sandbox tests given, then the figures. `python -m tests.guest.proof FOLDER TEST...`"""

import subprocess
import sys
from pathlib import Path
from typing import Final

JUNIT: Final = "junit.xml"
FIGURES: Final = "figures.json"


def main(folder: Path, tests: list[str]) -> int:
    """pytest's exit code. pytest's own time limits don't apply: the guest as a whole has one."""
    options = ["-p", "no:cacheprovider", "--timeout", "0", "--color", "no", "-v", f"--junitxml={folder / JUNIT}"]
    code = subprocess.run([sys.executable, "-m", "pytest", *options, *tests], check=False).returncode
    print("figures ...", flush=True)
    subprocess.run([sys.executable, "-m", "tests.guest.figures", str(folder / FIGURES)], check=False)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
