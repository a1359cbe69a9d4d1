"""The server under bad requests: what it holds, and how it is put back after a request that it rightly accepted."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.bad_requests.case import Case, HttpRequest
from tests.conformance.bad_requests.catalogue import Known
from tests.conformance.bad_requests.oracle import Answer
from tests.conformance.bad_requests.rendering import json_bytes
from tests.conformance.bad_requests.sending import Connection
from tests.conformance.bad_requests.signing import Signer
from tests.deployment import creation, zipped
from tests.live_server import LiveServer

STANDING = "bad-requests-standing"
"""The function that is there all the time."""
_FUNCTIONS = "/2015-03-31/functions"
_STANDING_ARN = f"arn:aws:lambda:us-east-1:123456789012:function:{STANDING}"
_SETTLED_SECONDS = 30.0
_SOURCE = "def handler(event, context):\n    return event\n"
_OTHER_SOURCE = _SOURCE + "\n# changed\n"
_KEPT = ("blobs", "packages", "tmp")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All functions and versions by ARN, and the paths of all stored code, whole or half-made."""

    functions: Mapping[str, Mapping[str, Any]]
    paths: frozenset[str]

    def differences(self, later: "Snapshot") -> list[str]:
        """What a later one has more, less or otherwise; empty when nothing changed."""
        found = [f"function {name} is new" for name in later.functions if name not in self.functions]
        for name, function in self.functions.items():
            if name not in later.functions:
                found.append(f"function {name} is gone")
            elif later.functions[name] != function:
                found.append(f"function {name} was {function} and is {later.functions[name]}")
        found += [f"{path} is new" for path in sorted(later.paths - self.paths)]
        return found + [f"{path} is gone" for path in sorted(self.paths - later.paths)]


class Stage:
    """One server, a connection to it, and the functions on it."""

    def __init__(self, server: LiveServer) -> None:
        found = server.server
        self._server = server
        self._process = server.process
        self._connection = Connection(found.url)
        self._signer = Signer(found.url, found.region, found.access_key_id, found.secret_access_key)
        self.reset()

    @property
    def known(self) -> Known:
        """Members with which the operations work here."""
        other = creation("bad-requests-made", _SOURCE)
        return {
            "": {"FunctionName": STANDING},
            "CreateFunction": other,
            "UpdateFunctionCode": {"ZipFile": zipped(_OTHER_SOURCE)},
            "UpdateFunctionConfiguration": {"Description": "changed"},
            "Invoke": {"Payload": b"{}"},
            **{name: {"Resource": _STANDING_ARN} for name in ("TagResource", "UntagResource", "ListTags")},
        }

    def send(self, case: Case) -> Answer:
        """The answer to the case."""
        if case.wire:
            return self._connection.send_bytes(case.wire, alone=True)
        return self._connection.send(self._signer.sign(case.request, case.tamper))

    def reset(self) -> None:
        """Only STANDING is there, as it was made, and nothing is under way."""
        for name in {function["FunctionName"] for function in self._functions().values()}:
            self._ask("DELETE", f"{_FUNCTIONS}/{name}")
        self._ask("POST", _FUNCTIONS, json_bytes(creation(STANDING, _SOURCE)))
        self._until_settled()
        self.baseline = self.snapshot()

    def snapshot(self) -> Snapshot:
        return Snapshot(self._functions(), frozenset(_stored(self._server.data)))

    def changes(self) -> list[str]:
        """What differs from the baseline."""
        return self.baseline.differences(self.snapshot())

    def breakdown(self) -> list[str]:
        """Why the server isn't the healthy one of the beginning; empty when it is."""
        if self._process is None or self._process.poll() is not None or self._server.process is not self._process:
            return ["the server's process ended"]
        self._connection.close()
        answer = self._ask("POST", f"{_FUNCTIONS}/{STANDING}/invocations", b'{"still": "there"}')
        return [] if json.loads(answer.body) == {"still": "there"} else [f"a good request was answered {answer}"]

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, target: str, body: bytes = b"") -> Answer:
        headers = (("Content-Type", "application/json"),) if body else ()
        request = HttpRequest(method=method, target=target, headers=headers, body=body)
        answer = self._connection.send(self._signer.signed(request))
        assert 200 <= answer.status < 300, f"{method} {target}: {answer}"
        return answer

    def _functions(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        target = f"{_FUNCTIONS}?FunctionVersion=ALL"
        while target:
            page = json.loads(self._ask("GET", target).body)
            found.update({function["FunctionArn"]: function for function in page["Functions"]})
            marker = page.get("NextMarker")
            target = f"{_FUNCTIONS}?FunctionVersion=ALL&Marker={marker}" if marker else ""
        return found

    def _until_settled(self) -> None:
        end = time.monotonic() + _SETTLED_SECONDS
        while True:
            configuration = json.loads(self._ask("GET", f"{_FUNCTIONS}/{STANDING}/configuration").body)
            # What a deleted function's code was being unpacked for is finished all the same.
            if configuration["State"] == "Active" and not any((self._server.data / "tmp").iterdir()):
                return
            assert time.monotonic() < end, configuration
            time.sleep(0.002)


def _stored(data: Path) -> Iterator[str]:
    for part in _KEPT:
        directory = data / part
        for path in directory.iterdir():
            name = str(path.relative_to(data))
            yield name
            if part == "blobs":
                yield from (f"{name}/{blob.name}" for blob in path.iterdir())
