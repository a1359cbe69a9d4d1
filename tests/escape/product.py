"""The probes that need a whole server: `python -m tests.escape.product` prints JSON as run.py does."""

import argparse
import base64
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lampion.clock.clock import SystemClock
from lampion.sandbox.drivers.namespace import NamespaceDriver
from tests.deployment import RUNTIME, functions
from tests.escape.targets import new_secret
from tests.escape.verdicts import Verdict
from tests.live_server import MARK, LiveServer, marked_directory

PROBES = Path(__file__).parent / "probes"
_PACKAGES = {
    "python": (("python/__init__.py", "python/attempts.py", "python/product.py"), "python/product.handler", RUNTIME),
    "nodejs": (("nodejs/attempts.mjs", "nodejs/product.mjs"), "product.handler", "nodejs20.x"),
}
_MEMORY_MIB = 512
_BOMBS = ("nested", "nested objects", "pickle", "number", "exponent", "surrogates", "not UTF-8", "headers")
_PROMPT_SECONDS = 5.0
_MOST_GROWTH_BYTES = 200 << 20
_FROZEN_BEATS = 10
"""What may come out just before the freeze and just after the thaw; unfrozen, a second brings 200."""


class Attacker:
    """A function under attack control, and the attempts told of it."""

    def __init__(self, client: Any, name: str, other: str, server: LiveServer) -> None:
        self.client, self.name, self.other, self.server = client, name, other, server
        self.told: list[tuple[bool, str]] = []

    def tell(self, name: str, is_open: bool, evidence: object = "") -> None:
        self.told.append((is_open, f"{name}: {evidence}"[:300]))

    def call(self, probe: str, *, on: str = "", **event: Any) -> dict[str, Any]:
        """The whole answer with its payload read."""
        payload = json.dumps({"probe": probe, **event})
        answer: dict[str, Any] = self.client.invoke(FunctionName=on or self.name, Payload=payload, LogType="Tail")
        answer["raw"] = answer["Payload"].read()
        return answer

    def ask(self, probe: str, *, on: str = "", **event: Any) -> Any:
        """What the probe returned; its attempts are told."""
        answer = self.call(probe, on=on, **event)
        assert "FunctionError" not in answer, answer["raw"]
        content = json.loads(answer["raw"])
        for each in content["attempts"]:
            self.tell(each["name"], each["open"], each["evidence"])
        return content["result"]

    def foreign_id(self) -> str:
        identifier: str = self.ask("echo", on=self.other)["id"]
        return identifier

    def must_still_serve(self) -> None:
        secret = new_secret("echo")
        started = time.monotonic()
        result = self.ask("echo", on=self.other, payload=secret)
        seconds = time.monotonic() - started
        self.tell("hold up the server", result["payload"] != secret or seconds > _PROMPT_SECONDS, f"{seconds:.2f} s")


def abuse_of_the_runtime_api(a: Attacker) -> None:
    a.ask("abuse", foreign_id=a.foreign_id())
    first = a.call("answer_twice")["raw"]
    a.tell("answer twice", b"second" in first, first)
    a.must_still_serve()
    a.call("echo")  # the runtime may have ended over its refused answer; that is the function's own loss
    after = a.ask("echo", payload="own")
    a.tell("upset the next invocation", after["payload"] != "own", after)


def log_floods(a: Attacker) -> None:
    before = _resident_bytes(a.server)
    with ThreadPoolExecutor(1) as pool:
        flood = pool.submit(a.ask, "flood", seconds=3)
        failed, slowest = 0, 0.0
        while not flood.done():
            started = time.monotonic()
            try:
                failed += a.ask("echo", on=a.other, payload="beside")["payload"] != "beside"
            except (AssertionError, ClientError, BotoCoreError):
                failed += 1
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(0.05)
        flood.result()
    growth = _resident_bytes(a.server) - before
    a.tell("neighbours' errors", failed > 0, failed)
    a.tell("neighbours' slowest answer", slowest > _PROMPT_SECONDS, f"{slowest:.2f} s")
    a.tell("memory of the server", growth > _MOST_GROWTH_BYTES, f"grew by {growth >> 20} MiB")


def _resident_bytes(server: LiveServer) -> int:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) * 1024


def work_while_frozen(a: Attacker) -> None:
    a.ask("begin_background")
    one = a.ask("count_background")
    time.sleep(1.0)
    two = a.ask("count_background")
    a.tell("work between two invocations", two - one > _FROZEN_BEATS, f"{two - one} steps in a second")


def events_of_others(a: Attacker) -> None:
    secret = new_secret("event")
    a.ask("lurk")
    for _ in range(5):
        a.ask("echo", on=a.other, payload=secret)
    time.sleep(0.5)
    try:
        loot = a.ask("loot")
    except (AssertionError, ClientError) as error:
        loot = [f"the attacker is held up by itself: {error}"]
    a.tell("take another function's event", any(secret in each for each in loot), loot)
    a.must_still_serve()


def forged_lines(a: Attacker) -> None:
    answer = a.call("forge")
    assert "FunctionError" not in answer, answer["raw"]
    lines = base64.b64decode(answer["LogResult"]).decode(errors="replace").splitlines()
    identifier = answer["ResponseMetadata"]["RequestId"]
    reports = [line for line in lines if line.startswith(f"REPORT RequestId: {identifier}")]
    duration = re.search(r"\tDuration: ([\d.]+) ms", reports[-1]) if reports else None
    is_true = duration is not None and float(duration[1]) >= 50
    a.tell("replace the platform's REPORT", not is_true, reports[-1:] or lines[-3:])
    a.tell("be the last to report", not lines or not lines[-1].startswith("REPORT "), lines[-1:])
    a.must_still_serve()


def false_extensions(a: Attacker) -> None:
    a.ask("extend", foreign_id=a.foreign_id())
    a.tell("upset one's own environment's neighbours", a.ask("echo", payload="own")["payload"] != "own")


def predictable_names(a: Attacker) -> None:
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: a.ask("identify", seconds=1), range(6)))
    for name in found[0]:
        values = sorted(each[name].rpartition("]")[2] for each in found)
        close = [(one, two) for one, two in pairwise(values) if _differ_little(one, two)]
        a.tell(f"guess {name}", bool(close), f"{len(set(values))} of {len(values)} differ, {close[:1]}")


def _differ_little(one: str, two: str) -> bool:
    """Whether one could be had from the other by counting: nearly all characters are the same."""
    same = sum(left == right for left, right in zip(one, two, strict=False))
    return same > 0.6 * max(len(one), len(two))


def bombs_in_responses(a: Attacker) -> None:
    for bomb in _BOMBS:
        started = time.monotonic()
        answer = a.call("explode", bomb=bomb)
        seconds = time.monotonic() - started
        headers = {name.lower() for name in answer["ResponseMetadata"]["HTTPHeaders"]}
        a.tell(f"{bomb}: time", seconds > _PROMPT_SECONDS, f"{seconds:.2f} s")
        a.tell(f"{bomb}: header in the answer", "x-evil" in headers, sorted(headers))
    a.must_still_serve()


def use_of_ones_role(a: Attacker) -> None:
    port = int(a.server.url.rpartition(":")[2])
    environ = a.ask("credentials", addresses=["127.0.0.1", "::1", "0.0.0.0"], port=port)
    client = boto3.session.Session().client(
        "lambda",
        endpoint_url=a.server.url,
        region_name=environ["AWS_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environ["AWS_SESSION_TOKEN"],
        config=Config(retries={"total_max_attempts": 1}),
    )
    actions: dict[str, Callable[[], object]] = {
        "list functions": client.list_functions,
        "invoke another": lambda: client.invoke(FunctionName=a.other, Payload=b'{"probe": "echo"}'),
        "invoke oneself": lambda: client.invoke(FunctionName=a.name, Payload=b'{"probe": "echo"}'),
        "delete another": lambda: client.delete_function(FunctionName=a.other),
        "read another's code": lambda: client.get_function(FunctionName=a.other),
    }
    for name, action in actions.items():
        try:
            action()
            a.tell(name, True, "done")
        except ClientError as error:
            a.tell(name, False, error.response["Error"]["Code"])


def repeated_randomness(a: Attacker) -> None:
    for name, values in _gathered(a, "surprises").items():
        a.tell(f"repeat {name}", len(set(values)) < len(values), f"{len(set(values))} of {len(values)} differ")


def shared_layout(a: Attacker) -> None:
    for name, values in _gathered(a, "layout").items():
        a.tell(f"share {name}", len(set(values)) < len(values), f"{len(set(values))} of {len(values)} differ")


def _gathered(a: Attacker, kind: str) -> dict[str, list[str]]:
    """Of six environments of two functions."""
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda on: a.ask("entropy", on=on, seconds=1)[kind], [a.name, a.other] * 3))
    return {name: [each[name] for each in found] for name in found[0]}


def memory_of_others(a: Attacker) -> None:
    secret = new_secret("event")
    for _ in range(3):
        a.ask("echo", on=a.other, payload=secret)
    seen = a.ask("scan", on=a.other)
    assert secret in seen, "the scan doesn't find what is certainly there"
    found = a.ask("scan")
    a.tell("secrets in one's memory", bool(found), found)


PROGRAMME: dict[str, Callable[[Attacker], None]] = {
    "P29": abuse_of_the_runtime_api,
    "P39": log_floods,
    "P40": work_while_frozen,
    "P41": events_of_others,
    "P43": forged_lines,
    "P44": false_extensions,
    "P45": repeated_randomness,
    "P46": predictable_names,
    "P47": bombs_in_responses,
    "P48": use_of_ones_role,
    "X11": shared_layout,
    "X12": memory_of_others,
}


def package(language: str) -> tuple[dict[str, str | bytes], dict[str, str]]:
    """The files of the function, and its configuration."""
    names, handler, runtime = _PACKAGES[language]
    strip = "nodejs/"
    files: dict[str, str | bytes] = {name.removeprefix(strip): (PROBES / name).read_bytes() for name in names}
    return files, {"Handler": handler, "Runtime": runtime}


def verdicts(server: LiveServer, language: str, names: Sequence[str]) -> list[Verdict]:
    """Each probe on a function of its own, so that none meets what another left."""
    client = server.client()
    found = []
    files, configuration = package(language)
    with functions(client, "escape") as make:
        other = make(files, MemorySize=_MEMORY_MIB, Timeout=20, **configuration)
        for name in names:
            attacker = Attacker(client, make(files, MemorySize=_MEMORY_MIB, Timeout=20, **configuration), other, server)
            broken: tuple[str, ...] = ()
            try:
                PROGRAMME[name](attacker)
            except (AssertionError, ClientError, BotoCoreError, KeyError, ValueError) as error:
                broken = (f"{type(error).__name__}: {error}"[:600],)
            opened = tuple(text for is_open, text in attacker.told if is_open)
            held = tuple(text for is_open, text in attacker.told if not is_open)
            found.append(Verdict(name, language, opened, held, broken))
    client.close()
    return found


def is_offered(server: LiveServer, language: str) -> bool:
    """Whether this version runs functions of the language."""
    client = server.client()
    files, configuration = package(language)
    try:
        with functions(client, "offered") as make:
            make(files, **configuration)
        return True
    except Exception:  # refused at creation, or the waiter saw it fail: in either case there is no such runtime here
        return False
    finally:
        client.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.escape.product")
    parser.add_argument("--language", action="append", choices=tuple(_PACKAGES), help="default: all that run here")
    parser.add_argument("--probe", action="append", choices=tuple(PROGRAMME), help="default: all")
    parser.add_argument("--quick", action="store_true", help="accepted for symmetry: none of these is quick")
    asked = parser.parse_args()
    found: list[Verdict] = []
    with marked_directory() as root, LiveServer(data=root / "data") as server:
        for language in asked.language or _PACKAGES:
            if is_offered(server, language):
                found += verdicts(server, language, asked.probe or tuple(PROGRAMME))
    capabilities = NamespaceDriver(SystemClock(), MARK).capabilities()
    facts = {"grade": capabilities.grade.value, "findings": [each.name for each in capabilities.findings]}
    json.dump({"mark": MARK, **facts, "verdicts": [asdict(each) for each in found]}, sys.stdout)


if __name__ == "__main__":
    main()
