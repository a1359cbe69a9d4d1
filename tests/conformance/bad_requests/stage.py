"""The server under bad requests: what stands on it, and how it is put back after a request that it rightly accepted."""

import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lampion.domain.event_source_mapping import TRANSITION_MS
from tests.conformance.bad_requests.case import Case, HttpRequest
from tests.conformance.bad_requests.catalogue import service_model
from tests.conformance.bad_requests.database import Database, Row, Subject
from tests.conformance.bad_requests.oracle import Answer
from tests.conformance.bad_requests.rendering import rendered
from tests.conformance.bad_requests.sending import Connection
from tests.conformance.bad_requests.signing import Signer
from tests.conformance.bad_requests.snapshot import Snapshot, stored_paths
from tests.conformance.bad_requests.standing import FUNCTION, OF_THE_ACCOUNT, THINGS, Ask, Thing, subject
from tests.live_server import LiveServer

_UNSETTLING = ("CreateFunction", "UpdateFunctionConfiguration")
_SETTLED_SECONDS = 30.0
_ORDER = ("function", "event source mapping", "layer", "code-signing-config", "capacity-provider")
"""Whose removal nothing that comes later hinders."""
_OUTLIVING = frozenset(("event source mapping", "layer"))
"""A mapping's deletion takes its time, and a layer's count of its versions stays for ever."""


class NotPutBackError(Exception):
    """The stage can't be made what it was; says what is in the way."""


class Stage:
    """One server, a connection to it, its database, and the things on it."""

    def __init__(self, server: LiveServer) -> None:
        found = server.server
        self._server = server
        self._process = server.process
        self._connection = Connection(found.url)
        self._signer = Signer(found.url, found.region, found.access_key_id, found.secret_access_key)
        self._database = Database(server.data / "lampion.db")
        self._model = service_model()
        self._numbers = itertools.count(1)
        self._present: dict[str, str] = {}
        self.baseline = self.snapshot()
        self._make(THINGS)
        self._whole = self._keys()
        self.rest()

    def send(self, case: Case) -> Answer:
        """The answer to the case."""
        if case.wire:
            return self._connection.send_bytes(case.wire, alone=True)
        return self._connection.send(self._signer.sign(self._cast(case.request), case.tamper))

    def reset(self) -> None:
        """Put back what differs from the baseline; afterwards nothing is under way. Raises NotPutBackError."""
        self._until_settled()  # what is being made goes on being made after its deletion
        later = self.snapshot()
        rows = {**self.baseline.rows, **later.rows}
        touched = {rows[key].subject for key in self.baseline.changed(later)}
        made: list[Thing] = []
        for thing in THINGS:
            if subject(thing, self._present) in touched or any(one.name in thing.needs for one in made):
                made.append(thing)
        standing = {subject(thing, self._present) for thing in THINGS}
        for found in sorted(
            (touched - standing) | {subject(thing, self._present) for thing in made} | self._condemned(later, standing),
            key=lambda one: (_ORDER.index(one.kind), one),
        ):
            self._remove(found, later)
        self._make(made)
        missing, strange = self._whole - self._keys(), self._keys() - self._whole
        if missing | strange:
            raise NotPutBackError(f"{sorted(missing)} missing, {sorted(strange)} too many")

    def rest(self) -> None:
        """Wait until the mappings may be changed."""
        time.sleep(TRANSITION_MS / 1000)

    def snapshot(self) -> Snapshot:
        return Snapshot(self._database.rows(), frozenset(stored_paths(self._server.data)))

    def changes(self) -> list[str]:
        """What differs from the baseline."""
        return self.baseline.differences(self.snapshot())

    def breakdown(self) -> list[str]:
        """Why the server isn't the healthy one of the beginning; empty when it is."""
        if self._process is None or self._process.poll() is not None or self._server.process is not self._process:
            return ["the server's process ended"]
        self._connection.close()
        answer = self._answer(Ask("Invoke", {"FunctionName": FUNCTION, "Payload": b'{"still": "there"}'}))
        return [] if answer.body == b'{"still": "there"}' else [f"a good request was answered {answer}"]

    def close(self) -> None:
        self._connection.close()
        self._database.close()

    def _cast(self, request: HttpRequest) -> HttpRequest:
        """With what is there in place of its stand-ins."""
        target, body = request.target, request.body
        for stand_in, present in self._present.items():
            target = target.replace(stand_in, present)
            body = body.replace(stand_in.encode(), present.encode())
        return HttpRequest(method=request.method, target=target, headers=request.headers, body=body)

    def _answer(self, ask: Ask) -> Answer:
        request = self._cast(rendered(self._model.operation_model(ask.operation), ask.members))
        return self._connection.send(self._signer.signed(request))

    def _ask(self, operation: str, members: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._answer(Ask(operation, members))
        if not 200 <= answer.status < 300:
            raise NotPutBackError(f"{operation} {members} was answered {answer}")
        document: dict[str, Any] = json.loads(answer.body or b"{}")
        return document

    def _make(self, things: Sequence[Thing]) -> None:
        for thing in things:
            if thing.renewed:
                self._present[thing.renewed] = f"{thing.renewed}-{next(self._numbers)}"
            for ask in thing.made:
                answer = self._ask(ask.operation, ask.members)
                if thing.told is not None:
                    self._present[thing.name] = thing.told(answer)
                if ask.operation in _UNSETTLING:
                    self._until_settled()
        self._until_settled()
        self.baseline = self.snapshot()

    def _remove(self, gone: Subject, now: Snapshot) -> None:
        rows = [row for row in now.rows.values() if row.subject == gone]
        for operation, members in _removals(gone, rows):
            self._ask(operation, members)

    def _condemned(self, now: Snapshot, standing: set[Subject]) -> set[Subject]:
        """Mappings that requests or this stage made, and left because they were changing."""
        return {
            row.subject
            for row in now.rows.values()
            if row.subject.kind == "event source mapping" and row.subject not in standing
        }

    def _keys(self) -> frozenset[tuple[str, ...]]:
        """Of all rows that must always be there, and no others, with stand-ins in them."""
        stand_ins = {present: stand_in for stand_in, present in self._present.items()}
        standing = {subject(thing, self._present) for thing in THINGS}
        return frozenset(
            tuple(_recast(part, stand_ins) for part in row.key)
            for row in self.baseline.rows.values()
            if row.subject in standing or row.subject.kind not in _OUTLIVING
        )

    def _until_settled(self) -> None:
        end = time.monotonic() + _SETTLED_SECONDS
        while True:
            rows = self._database.rows().values()
            unsettled = [row.key for row in rows if row.table == "functions" and not row.values["is_settled"]]
            # What a deleted function's code was being unpacked for is finished all the same.
            half_made = [path.name for path in (self._server.data / "tmp").iterdir()]
            if not unsettled and not half_made:
                return
            if time.monotonic() > end:
                raise NotPutBackError(f"{unsettled} not settled, {half_made} half-made")
            time.sleep(0.002)


def _recast(text: str, stand_ins: Mapping[str, str]) -> str:
    owner, separator, name = text.rpartition(":")
    return f"{owner}{separator}{stand_ins.get(name, name)}"


def _removals(gone: Subject, rows: list[Row]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests that remove what is left of it; a mapping that is changing can't be removed yet."""
    if not rows:
        return
    match gone.kind:
        case "function":
            yield "DeleteFunction", {"FunctionName": gone.name}
        case "layer":
            for row in rows:
                if row.values["kind"] == "layer-version":
                    yield "DeleteLayerVersion", {"LayerName": gone.name, "VersionNumber": int(row.values["id"])}
        case "code-signing-config":
            arn = f"{OF_THE_ACCOUNT}:code-signing-config:{gone.name}"
            yield "DeleteCodeSigningConfig", {"CodeSigningConfigArn": arn}
        case "capacity-provider":
            yield "DeleteCapacityProvider", {"CapacityProviderName": gone.name}
        case "event source mapping":
            changed_seconds_ago = time.time() - rows[0].document["changed_at_ms"] / 1000
            if changed_seconds_ago > TRANSITION_MS / 1000:
                yield "DeleteEventSourceMapping", {"UUID": gone.name}
        case _:
            raise AssertionError(f"nobody knows how to remove {gone}")
