"""Load on one address: wrk with a constant POST of which every answer is compared."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("post.lua")
INSTALL = "apt-get install -y wrk"


class LoadError(Exception):
    """wrk could not be run."""


@dataclass(frozen=True, slots=True)
class Post:
    """A request to repeat, and what every answer must be. Headers may hold a signature: not in the repr."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes
    expected: bytes
    expected_status: int = 200


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw. Wrong answers are those of another status or body, and connections that failed."""

    requests: int
    wrong_answers: int
    requests_per_second: float
    p50_microseconds: float
    p99_microseconds: float


def parse(output: str) -> Load:
    """The last line that the script wrote."""
    told: dict[str, Any] = json.loads(output.strip().rpartition("\n")[2])
    return Load(
        requests=told["requests"],
        wrong_answers=told["wrong"] + told["broken"],
        requests_per_second=told["requests"] / (told["microseconds"] / 1e6),
        p50_microseconds=told["p50"],
        p99_microseconds=told["p99"],
    )


def run(post: Post, connections: int, seconds: int) -> Load:
    """Raises LoadError. wrk measures whole seconds only."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise LoadError(f"wrk is not installed: {INSTALL}")
    argv = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(SCRIPT), post.url, "--"]
    argv += [post.body.decode(), str(post.expected_status), post.expected.decode()]
    for name, value in post.headers.items():
        argv += [name, value]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise LoadError(f"wrk failed: {(done.stderr or done.stdout).strip()[-300:]}")
    return parse(done.stdout)
