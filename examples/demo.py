"""The tour: starts a server, deploys two functions, invokes them with boto3 and the AWS CLI, and cleans up.

On a terminal it stays up until Ctrl-C; otherwise, or with DEMO_EXIT=1, it ends after printing.
"""

import base64
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3

EXAMPLES = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
ROLE = "arn:aws:iam::123456789012:role/lambda-role"
RUNTIME = f"python3.{sys.version_info.minor}"
READY_SECONDS = 30


def main() -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    with ExitStack() as cleanup, suppress(KeyboardInterrupt):
        home = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="lampion-demo-")))
        data = home / "data"
        cleanup.enter_context(_server(home, data))
        environ = _aws_environ(data)
        client = _client(environ)
        cleanup.callback(client.close)
        _deploy(client, "hello")
        _deploy(client, "csv-report")
        _invoke_with_boto3(client)
        _invoke_with_aws_cli(home, environ)
        _tell_how_to_go_on(data, environ)
        if sys.stdin.isatty() and os.environ.get("DEMO_EXIT") != "1":
            signal.pause()
    _say("Stopped; nothing is left behind.")
    return 0


@contextmanager
def _server(home: Path, data: Path) -> Iterator[None]:
    """`lampion serve` on a free port. In a session of its own, so that Ctrl-C reaches it through us only."""
    command = [str(BIN / "lampion"), "serve", "--listen", "127.0.0.1:0", "--data", str(data)]
    command += ["--cgroup-parent", f"lampion-demo-{os.getpid()}"]
    _say(f"$ {shlex.join(['lampion', *command[1:]])}")
    output = home / "server.output"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_until_it_listens(process, output)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_listens(process: subprocess.Popen[bytes], output: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while " listening on http" not in output.read_text():
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"The server did not start:\n{output.read_text()}")
        time.sleep(0.02)
    print(output.read_text().rstrip())


def _aws_environ(data: Path) -> dict[str, str]:
    """This environment with what `lampion env` exports, and without the user's own AWS files."""
    lines = subprocess.run(
        [str(BIN / "lampion"), "env", "--data", str(data)], check=True, capture_output=True, text=True
    ).stdout
    exports = (shlex.split(line)[1].split("=", 1) for line in lines.splitlines())
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return environ | dict(exports) | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def _client(environ: dict[str, str]) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=environ["AWS_ENDPOINT_URL"],
        region_name=environ["AWS_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
    )


def _deploy(client: Any, name: str) -> None:
    began = time.monotonic()
    created = client.create_function(
        FunctionName=name,
        Runtime=RUNTIME,
        Handler="lambda_function.lambda_handler",
        Role=ROLE,
        Timeout=10,
        Code={"ZipFile": _zipped(EXAMPLES / name / "lambda_function.py")},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
    print(f"deployed {created['FunctionArn']} ({RUNTIME}) in {(time.monotonic() - began) * 1000:.0f} ms")


def _zipped(source: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.write(source, source.name)
    return buffer.getvalue()


def _invoke_with_boto3(client: Any) -> None:
    _say("boto3: client.invoke(FunctionName='hello')")
    print(client.invoke(FunctionName="hello", Payload=b"{}")["Payload"].read().decode())
    _say("boto3: client.invoke(FunctionName='csv-report', LogType='Tail', Payload={'csv': <penguins.csv>})")
    answer = client.invoke(FunctionName="csv-report", LogType="Tail", Payload=_penguins())
    report = json.loads(answer["Payload"].read())
    print(f"{report['rows']} rows")
    for column, summary in report["columns"].items():
        print(f"  {column:18} {json.dumps(summary)}")
    print("log tail:")
    for line in base64.b64decode(answer["LogResult"]).decode().splitlines():
        print(f"  {line}")


def _invoke_with_aws_cli(home: Path, environ: dict[str, str]) -> None:
    event, answer = home / "event.json", home / "answer.json"
    event.write_bytes(_penguins())
    for name, payload in (("hello", "{}"), ("csv-report", f"file://{event}")):
        command = ["lambda", "invoke", "--function-name", name, "--payload", payload, str(answer)]
        _say(f"$ aws {shlex.join(command)}")
        subprocess.run([sys.executable, str(BIN / "aws"), *command], check=True, env=environ, stdin=subprocess.DEVNULL)
        text = answer.read_text()
        print(text if len(text) <= 200 else f"{text[:200]}... ({len(text)} characters)")


def _penguins() -> bytes:
    return json.dumps({"csv": (EXAMPLES / "csv-report" / "penguins.csv").read_text()}).encode()


def _tell_how_to_go_on(data: Path, environ: dict[str, str]) -> None:
    _say(f"The server is up at {environ['AWS_ENDPOINT_URL']}. In another terminal, in this directory:")
    print(f'  . .venv/bin/activate && eval "$(lampion env --data {shlex.quote(str(data))})"')
    print("  lampion invoke hello '{}' --tail")
    print("  lampion logs csv-report")
    print("  aws lambda list-functions")
    _say("Ctrl-C stops it and removes everything.")


def _say(text: str) -> None:
    print(f"\n{text}", flush=True)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
