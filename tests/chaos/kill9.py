"""kill -9 of the server at random moments while clients change functions; what they were promised must be there after.

`python -m tests.chaos.kill9 --rounds 100 --result FILE` runs it at length and writes down what came of it.
"""

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos.checker import Finding, check
from tests.chaos.history import AcceptLog, Phase
from tests.chaos.inspection import all_functions, half_made_files, invoked, wait_until_settled
from tests.chaos.load import Caller, Client, Counters, working
from tests.chaos.remains import remains_of, still_there
from tests.chaos.result_page import page
from tests.live_server import LiveServer, marked_directory

SEED = 9
_CLIENTS = 4
_LONGEST_LOAD_SECONDS = 0.4
_INVOKED_PER_ROUND = 2
_GONE_SECONDS = 10.0
_SHARE_KILLED_AGAIN = 0.3


@dataclass
class Outcome:
    """What came of some rounds."""

    rounds: int = 0
    killed_again: int = 0
    acknowledged: int = 0
    unanswered: int = 0
    invocations: int = 0
    orphans_possible: int = 0
    findings: list[Finding] = field(default_factory=list)
    ready_seconds: list[float] = field(default_factory=list)
    settled_seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = Counter(finding.kind for finding in self.findings)
        return "\n".join(
            (
                f"rounds: {self.rounds}, in {self.killed_again} of them killed again while it recovered",
                f"acknowledged changes: {self.acknowledged}",
                f"changes without an answer when the server died: {self.unanswered}",
                f"invocations answered meanwhile: {self.invocations}",
                f"processes of sandboxes at the moment of death: {self.orphans_possible}",
                f"broken promises: {dict(kinds) or 'none'}",
                f"from start to listening: {_spread(self.ready_seconds)}",
                f"from start to every function Active: {_spread(self.settled_seconds)}",
            )
        )


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "not measured"
    return f"median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s"


class Chaos:
    """One server and its clients over many rounds; the functions stay from round to round."""

    def __init__(self, server: LiveServer, log: AcceptLog, seed: int) -> None:
        self._server = server
        self._log = log
        self._rng = Random(seed)
        self._counters = Counters()
        self._clients = [
            Client(str(number), log, self._counters, Random(f"{seed} {number}")) for number in range(_CLIENTS)
        ]
        self._caller = Caller(self._clients, Random(seed))
        self.outcome = Outcome()

    def round(self, load_seconds: float | None = None, meddle: Callable[[], object] = lambda: None) -> None:
        """Load, kill, restart, look. `meddle` is done while no server runs."""
        outcome, server = self.outcome, self._server
        assert server.process is not None
        if load_seconds is None:
            load_seconds = self._rng.uniform(0, _LONGEST_LOAD_SECONDS)
        client = server.client(max_pool_connections=_CLIENTS + 1, connect_timeout=2, read_timeout=20)
        client.list_functions()  # the client has made its connection and read its models
        with working([*self._clients, self._caller], client):
            time.sleep(load_seconds)
            remains = remains_of(server.process.pid, server.cgroup_parent)
            server.kill()
            remains = remains | remains_of(None, server.cgroup_parent)
        client.close()
        meddle()
        if self._rng.random() < _SHARE_KILLED_AGAIN:
            server.start().kill()  # while it takes up what its predecessor left
            outcome.killed_again += 1
        started = time.monotonic()
        server.start()
        outcome.ready_seconds.append(time.monotonic() - started)
        outcome.rounds += 1
        outcome.orphans_possible += len(remains.processes)
        outcome.acknowledged = self._log.acknowledged
        outcome.invocations = self._caller.calls
        outcome.findings += self._look(started)
        outcome.findings += [Finding("orphan", text) for text in still_there(remains.left, _GONE_SECONDS)]
        for each in self._clients:
            outcome.findings += [Finding("surprise", text) for text in each.surprises]
            each.surprises.clear()

    def _look(self, started: float) -> list[Finding]:
        client = self._server.client()
        wait_until_settled(client)
        self.outcome.settled_seconds.append(time.monotonic() - started)
        functions = all_functions(client)
        known = self._log.knowledge()
        self.outcome.unanswered += sum(len(each.now) > 1 for each in known.values())
        findings = check(known, functions)
        if not findings:
            findings += invoked(client, functions, self._counters, self._rng, _INVOKED_PER_ROUND)
        files = still_there(lambda: half_made_files(self._server.data), _GONE_SECONDS)
        findings += [Finding("half-made", text) for text in files]
        client.close()
        found = {function.name: function.contents for function in functions}
        for owner in self._clients:
            for name in owner.present:
                owner.present[name] = found.get(name)
                if name in known and len(known[name].now) > 1:
                    self._log.write(name, Phase.FOUND, found.get(name))
        return findings


def run(server: LiveServer, log: AcceptLog, *, rounds: int, seed: int, seconds: float = float("inf")) -> Outcome:
    """That many rounds, or as many as begin within `seconds`; stops at the first round with a finding."""
    chaos, end = Chaos(server, log, seed), time.monotonic() + seconds
    while chaos.outcome.rounds < rounds and not chaos.outcome.findings and time.monotonic() < end:
        chaos.round()
    return chaos.outcome


def main(arguments: list[str]) -> int:
    """The exit code is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description="kill -9 at random moments, and a look at what is left.")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--result", type=Path, help="file to write the outcome to")
    options = parser.parse_args(arguments)
    with (
        marked_directory() as root,
        LiveServer(data=root / "chaos") as server,
        AcceptLog(root / "accepted") as log,
    ):
        outcome = run(server, log, rounds=options.rounds, seed=options.seed)
        if outcome.findings:
            print(server.output[-5000:])
    for finding in outcome.findings:
        print(f"{finding.kind}: {finding.text}")
    print(outcome)
    if options.result is not None:
        command = f"python -m tests.chaos.kill9 --rounds {options.rounds} --seed {options.seed}"
        page(options.result, "kill -9 during create, update and delete", command, [str(outcome)])
    return 1 if outcome.findings or outcome.rounds < options.rounds else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
