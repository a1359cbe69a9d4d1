"""kill -9 of the server at random moments under a load of events: `python -m tests.chaos.events.kill9 --rounds 200`.

What was answered with 202 must have ended once when all is quiet, whatever died meanwhile.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Final

from botocore.exceptions import ClientError

from lampion.cli.client import Call, send
from tests.chaos.checker import Finding
from tests.chaos.events.functions import RESERVED, RESERVED_EXECUTIONS, RETRYING, deploy
from tests.chaos.events.judgement import Effect, Facts, judge
from tests.chaos.events.load import Load, read_log
from tests.chaos.events.outcome import Outcome
from tests.chaos.events.queue_file import Ended, QueueFile
from tests.chaos.remains import Remains, remains_of, still_there
from tests.chaos.result_page import page
from tests.live_server import LiveServer, marked_directory

SEED: Final = 9
RATE: Final = 1000
_LOAD_SECONDS: Final = (0.1, 1.5)
_SHARE_KILLED_AGAIN: Final = 0.3
_GONE_SECONDS: Final = 10.0
_STALLED_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 121  # later than either retry is due
_PAUSE_SECONDS: Final = 0.01


class EventChaos:
    """One server under load over many rounds."""

    def __init__(self, server: LiveServer, root: Path, *, sandbox: str, seed: int, rate: int = RATE) -> None:
        self._server = server
        self._root = root
        self._chance = Random(seed)
        self._load = Load(root / "accepted", rate=rate)
        self._file = QueueFile(server.data)
        self._ended: list[Ended] = []
        self._effects = root / "effects"
        self._effects.touch()
        self._is_seen = sandbox == "process"
        self.outcome = Outcome(sandbox)

    def deploy(self) -> None:
        client = self._server.client()
        deploy(client, self._effects)
        client.close()

    def round(self, meddle: Callable[[], object] = lambda: None) -> None:
        """Load, kill, restart. `meddle` is done while no server runs."""
        outcome, server = self.outcome, self._server
        seconds = self._chance.uniform(*_LOAD_SECONDS)
        outcome.rounds += 1
        outcome.load_seconds += seconds
        self._load.begin(server.server, f"r{outcome.rounds}")
        time.sleep(seconds)
        remains = self._kill()
        self._load.ended()
        meddle()
        if self._chance.random() < _SHARE_KILLED_AGAIN:
            server.start()
            time.sleep(self._chance.uniform(0, 0.3))
            remains = remains | self._kill()
            outcome.killed_again += 1
        began = time.monotonic()
        server.start()
        outcome.ready_seconds.append(time.monotonic() - began)
        self._wait_for_an_end(began)
        self._ended += self._file.new_endings()
        if self._is_seen:
            remains.end()  # of this driver's doctor: functions outlive a server that is killed
        outcome.findings += [Finding("orphan", text) for text in still_there(remains.left, _GONE_SECONDS)]

    def end(self) -> Outcome:
        """Let all end, and judge."""
        outcome = self.outcome
        self._until_quiet()
        outcome.findings += self._slots_are_free()
        facts = self._facts()
        outcome.findings += judge(facts)
        answers = Counter(one.status for one in facts.sent)
        outcome.accepted, outcome.unanswered = answers[202], answers[0]
        outcome.refused = len(facts.sent) - answers[202] - answers[0]
        outcome.ended, outcome.waiting = len(facts.ended), len(facts.waiting)
        outcome.runs = None if facts.effects is None else len(facts.effects)
        return outcome

    def close(self) -> None:
        self._load.__exit__(None, None, None)

    def _kill(self) -> Remains:
        server = self._server
        assert server.process is not None
        remains = remains_of(server.process.pid, server.cgroup_parent)
        self.outcome.orphans_possible += len(remains.processes)
        server.kill()
        return remains | remains_of(None, server.cgroup_parent)

    def _wait_for_an_end(self, began: float) -> None:
        """Where events are left from before, the first of them ends soon."""
        before, give_up_at = self._file.latest(), time.monotonic() + _STALLED_SECONDS
        while self._file.left(without=RETRYING):
            if self._file.latest() > before:
                self.outcome.first_end_seconds.append(time.monotonic() - began)
                return
            if time.monotonic() > give_up_at:
                self.outcome.findings.append(Finding("stuck", "no event ends after a restart"))
                return
            time.sleep(_PAUSE_SECONDS)

    def _until_quiet(self) -> None:
        """As long as something ends; time passes at once where all that is left waits for a retry."""
        before, moved = -1, time.monotonic()
        while (left := self._file.left(without="")) and time.monotonic() - moved < _STALLED_SECONDS:
            if left != before:
                before, moved = left, time.monotonic()
            if not self._file.left(without=RETRYING):
                self._advance()
            self._ended += self._file.new_endings()
            time.sleep(0.2)

    def _advance(self) -> None:
        body = json.dumps({"advance_seconds": _RETRY_SECONDS}).encode()
        headers = {"Content-Type": "application/json"}
        call = Call("POST", ("_lampion", "clock"), headers=headers, body=body)
        assert send(self._server.server, call, timeout_seconds=60).status == 200

    def _facts(self) -> Facts:
        waiting = self._file.waiting()  # first: what ends meanwhile is among the endings then
        self._ended += self._file.new_endings()
        ended = {one.request_id for one in self._ended}
        still = self._file.waiting()
        return Facts(
            sent=list(read_log(self._root / "accepted")),
            ended=self._ended,
            waiting=[one for one in waiting if one.request_id not in ended]
            + [one for one in still if one.request_id in ended],
            effects=self._read_effects() if self._is_seen else None,
        )

    def _read_effects(self) -> list[Effect]:
        return [Effect(*line.split()) for line in self._effects.read_text().splitlines()]

    def _slots_are_free(self) -> list[Finding]:
        """All executions that a function has reserved can be had again."""
        client = self._server.client(max_pool_connections=RESERVED_EXECUTIONS)
        payload = b'{"n": "sync", "seconds": 0.3}'

        def invoke(_: int) -> str:
            try:
                return str(client.invoke(FunctionName=RESERVED, Payload=payload)["StatusCode"])
            except ClientError as error:
                return str(error)

        with ThreadPoolExecutor(RESERVED_EXECUTIONS) as threads:
            answers = list(threads.map(invoke, range(RESERVED_EXECUTIONS)))
        client.close()
        return [Finding("slot", answer) for answer in answers if answer != "200"]


def run(server: LiveServer, root: Path, *, sandbox: str, rounds: int, seed: int, rate: int = RATE) -> Outcome:
    """That many rounds, and what came of them."""
    chaos = EventChaos(server, root, sandbox=sandbox, seed=seed, rate=rate)
    try:
        chaos.deploy()
        while chaos.outcome.rounds < rounds and not chaos.outcome.findings:
            chaos.round()
        return chaos.end()
    finally:
        chaos.close()


def options_for(sandbox: str) -> tuple[str, ...]:
    """Few environments, for the machine is for the load too; and a clock that needn't be waited for."""
    return ("--sandbox", sandbox, "--max-environments", "10", "--clock", "adjustable")


def main(arguments: list[str]) -> int:
    """The exit code is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description="kill -9 at random moments under a load of events.")
    parser.add_argument("--rounds", type=int, default=200, help="in all; half of them with each driver")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--result", type=Path, help="file to write the outcome to")
    options = parser.parse_args(arguments)
    outcomes = []
    for sandbox in ("process", "auto"):  # a plain process reaches the file that shows what it did
        with marked_directory() as root, LiveServer(data=root / "events", options=options_for(sandbox)) as server:
            outcome = run(server, root, sandbox=sandbox, rounds=options.rounds // 2, seed=options.seed)
            print(outcome)
            for finding in outcome.findings[:50]:
                print(f"{finding.kind}: {finding.text}")
            if outcome.findings:
                print(server.output[-5000:])
        outcomes.append(outcome)
    if options.result is not None:
        command = f"python -m tests.chaos.events.kill9 --rounds {options.rounds} --seed {options.seed}"
        page(options.result, "kill -9 under a load of events", command, [str(outcome) for outcome in outcomes])
    return 1 if any(outcome.findings for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
