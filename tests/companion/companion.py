"""An emulator of the AWS services around Lambda, in a process of its own: a peer that really keeps what it is sent.

ministack 1.5.33 in .venv-companion, which `make setup-companion` makes. It is only ever spoken to by AWS's protocols.
"""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import boto3
from botocore.config import Config

from lampion.endpoints.address import parse_address
from lampion.endpoints.services import Credentials, Endpoints, Service, ServiceEndpoint

ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = ROOT / ".venv-companion" / "bin" / "ministack"
ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
SECRET: Final = "companion-secret"
READY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0


@dataclass(kw_only=True)
class Companion:
    """One directory of state, one port and, while started, one process. What it keeps survives `stop` and `start`."""

    directory: Path
    port: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def endpoints(self) -> Endpoints:
        """For targets in this process."""
        endpoint = ServiceEndpoint(parse_address(self.url), Credentials(ACCOUNT, SECRET))
        return Endpoints(dict.fromkeys(Service, endpoint))

    @property
    def variables(self) -> dict[str, str]:
        """For a server: every service is here. An access key of 12 digits names the account."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": SECRET}

    def client(self, service: str) -> Any:
        """A boto3 client; no retries."""
        return boto3.session.Session().client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key=SECRET,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def start(self) -> Self:
        """Start on the same port as before, and wait until it answers."""
        assert self.process is None, "already started"
        assert PROGRAM.is_file(), "the companion is missing: make setup-companion"
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                [PROGRAM],
                env=self._environ(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until(self._answers, READY_SECONDS, lambda: f"the companion didn't start:\n{self._output.read_text()}")
        return self

    def stop(self) -> None:
        """SIGTERM, so that it saves its state, and wait. Does nothing when it doesn't run."""
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _output(self) -> Path:
        return self.directory / "output"

    def _environ(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.directory),
            "TMPDIR": str(self.directory),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "SERVICES": "sqs,sns,events,s3",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": "1",
            "S3_PERSIST": "1",
            "STATE_DIR": str(self.directory / "state"),
            "S3_DATA_DIR": str(self.directory / "s3"),
        }

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the companion ended:\n{self._output.read_text()}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()
        return True


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    """Look again and again until it holds; fails with the words of `otherwise`."""
    give_up_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up_at, otherwise()
        time.sleep(0.02)
