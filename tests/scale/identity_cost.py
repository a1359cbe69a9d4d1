"""What it costs to know who asks, and whether he may: `python -m tests.scale.identity_cost`.

CPU of the signature check and of the policies' decision together, for an invoke on the warm path, by each kind of
caller. In this process, with the server's own rooms in memory; nothing else of a request is in the figures.
"""

import argparse
import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from lampion.aws.sigv4_sign import Signer
from lampion.clock.clock import SystemClock
from lampion.domain.iam.access_key import UserKey
from lampion.domain.iam.identity import IdentityKind
from lampion.gateway.authentication import SignedAuthentication
from lampion.gateway.authorization import Authorization
from lampion.gateway.judge import Judge
from lampion.http.message import Request, RequestHead
from lampion.identity.key_ids import RANDOM_BYTES, USER_PREFIX, key_id
from lampion.identity.temporary_keys import Standing
from lampion.store.iam import USER_KEYS
from tests.identities import ACCOUNT, allowing, identity, keep, keys_in, resources_in_memory

MOST_US = 40.0
_ROOT = Path(__file__).resolve().parents[2]
_REGION = "eu-west-1"
_HOST = "127.0.0.1:9000"
_PATH = "/2015-03-31/functions/orders/invocations"
_ARN = f"arn:aws:lambda:{_REGION}:{ACCOUNT}:function:orders"
_ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/runs"
_BODY_BYTES = 56
_CLIENT = "127.0.0.1"
_REQUESTS = 2_000
_REPEATS = 7


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one kind of caller: microseconds of CPU for each request, one for each repeat."""

    caller: str
    us: Sequence[float]

    @property
    def median_us(self) -> float:
        return median(self.us)


class Warm:
    """Both rooms, and somebody of every kind."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.resources = resources_in_memory()
        self.keys = keys_in(self.resources)
        judge = Judge(region=_REGION, scheme="http", clock=self.clock, record=self.keys.record)
        self.authentication = SignedAuthentication(keys=self.keys, region=_REGION, clock=self.clock)
        self.authorization = Authorization(judge, resources=self.resources, region=_REGION)

    async def callers(self) -> Mapping[str, Signer]:
        """By what they are called in the results."""
        root = await self.keys.roots.root(ACCOUNT)
        await keep(
            self.resources, identity(IdentityKind.ROLE, "runs", allowing("lambda:InvokeFunction", resource=_ARN))
        )
        condition = {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}
        return {
            "root": Signer(root.access_key_id, root.secret_access_key, _REGION),
            "user": await self._user("ann", allowing("lambda:InvokeFunction", resource=_ARN)),
            "user whose policy asks for the address": await self._user(
                "bob", allowing("lambda:InvokeFunction", resource=_ARN, Condition=condition)
            ),
            "session of a role": self._session(),
            "function": self._function(),
        }

    async def _user(self, name: str, document: str) -> Signer:
        user = identity(IdentityKind.USER, name, document)
        await keep(self.resources, user)
        made = UserKey(
            access_key_id=key_id(USER_PREFIX, ACCOUNT, os.urandom(RANDOM_BYTES)),
            secret_access_key="s" * 40,
            account_id=ACCOUNT,
            user_id=user.unique_id,
            created_epoch_seconds=1,
        )
        await self.resources.change(lambda stored: stored.put(USER_KEYS, made))
        return Signer(made.access_key_id, made.secret_access_key, _REGION)

    def _session(self) -> Signer:
        now = int(self.clock.now())
        standing = Standing(
            account_id=ACCOUNT,
            unique_id="ID-OF-role-runs",
            role_arn=_ROLE_ARN,
            session_name="deploy",
            issued_epoch_seconds=now,
            expires_epoch_seconds=now + 3600,
        )
        key = self.keys.temporary.issue(standing)
        return Signer(key.access_key_id, key.secret_access_key, _REGION, session_token=key.session_token)

    def _function(self) -> Signer:
        key = self.keys.sessions.issue(account_id=ACCOUNT, role=_ROLE_ARN, session_name="orders")
        return Signer(key.access_key_id, key.secret_access_key, _REGION, session_token=key.session_token)


def signed(signer: Signer, count: int, now: float) -> list[Request]:
    """Requests to invoke, no two alike."""
    made = []
    for number in range(count):
        body = f'{{"number": {number}}}'.ljust(_BODY_BYTES).encode()
        headers = {"host": _HOST}
        added = signer.sign("POST", _PATH, "", headers, body, now)
        headers.update({name.lower(): value for name, value in added.items()})
        made.append(Request(RequestHead("POST", _PATH, "", headers, len(body), _CLIENT), body))
    return made


async def cpu_us(served: Callable[[Request], Awaitable[Any]], requests: Sequence[Request]) -> float:
    """Of one request, on average."""
    for request in requests[:100]:
        await served(request)
    began = time.process_time_ns()
    for request in requests:
        await served(request)
    return (time.process_time_ns() - began) / len(requests) / 1000


async def measure(requests: int = _REQUESTS, repeats: int = _REPEATS) -> list[Cost]:
    """All callers in turn, `repeats` times."""
    warm = Warm()
    callers = await warm.callers()
    taken: dict[str, list[float]] = {name: [] for name in callers}

    async def served(request: Request) -> None:
        claim = warm.authentication.read(request.head)
        principal = await warm.authentication.verify(claim, request)
        await warm.authorization.check(principal, "Invoke", {"FunctionName": "orders"}, request.head)

    for _ in range(repeats):
        for name, signer in callers.items():
            taken[name].append(await cpu_us(served, signed(signer, requests, warm.clock.now())))
    return [Cost(name, us) for name, us in taken.items()]


def page(costs: Sequence[Cost], requests: int, repeats: int) -> str:
    """The text of the result page."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    return "\n".join(
        [
            "# What it costs to know who asks, and whether he may",
            "",
            "- command: `make identity-cost`",
            f"- date: {datetime.now(UTC):%Y-%m-%d}",
            f"- commit: {commit}",
            f"- machine: {os.cpu_count()} processors",
            f"- signature check and authorization of a warm invoke of {_BODY_BYTES} bytes, together; "
            f"{repeats} times {requests} requests of each caller in turn",
            "",
            "| Caller | CPU of a request, median, us | least | most | promised |",
            "|---|---|---|---|---|",
            *(
                f"| {cost.caller} | {cost.median_us:.1f} | {min(cost.us):.1f} | {max(cost.us):.1f} | <= {MOST_US:g} |"
                for cost in costs
            ),
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scale.identity_cost")
    parser.add_argument("--result", type=Path, help="write the result page there")
    asked = parser.parse_args()
    costs = asyncio.run(measure())
    text = page(costs, _REQUESTS, _REPEATS)
    print(text)
    if asked.result:
        asked.result.write_text(text)
    return 0 if all(cost.median_us <= MOST_US for cost in costs) else 1


if __name__ == "__main__":
    raise SystemExit(main())
