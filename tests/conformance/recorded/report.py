"""`python -m tests.conformance.recorded.report`: runs every recorded case against a server of its own and counts.

With --details also every difference, and every case that did not run. Exit code 1 when there is a difference.
"""

import sys
from collections.abc import Sequence

from lampion.clock.clock import SystemClock
from lampion.sandbox.driver import Grade
from lampion.sandbox.drivers.namespace import NamespaceDriver
from tests.conformance.recorded.asking import ASKED
from tests.conformance.recorded.outcomes import details, table
from tests.conformance.recorded.placeholders import Place
from tests.conformance.recorded.recordings import cases
from tests.conformance.recorded.suite import Suite
from tests.dotnet_functions import dotnet_options
from tests.live_server import LiveServer, marked_directory

ACCOUNT_ID = "123456789012"
"""The account that the recorded requests name."""


def suite_of(server: LiveServer, with_close_runtimes: LiveServer | None = None) -> Suite:
    """All cases, to be run with the servers' root keys."""
    client, close_client = (
        each.client(max_pool_connections=1, parameter_validation=False)
        for each in (server, with_close_runtimes or server)
    )
    has_namespaces = NamespaceDriver(SystemClock(), server.cgroup_parent).capabilities().grade is not Grade.NONE
    place = Place(ACCOUNT_ID, server.server.region)
    return Suite(client, place, has_namespaces=has_namespaces, close_client=close_client)


def main(arguments: Sequence[str]) -> int:
    with (
        marked_directory() as directory,
        LiveServer(data=directory / "recorded") as server,
        LiveServer(data=directory / "close", options=("--close-runtimes", *dotnet_options())) as close_server,
    ):
        suite = suite_of(server, close_server)
        for name in cases():
            suite.replay(name)
        for name in ASKED:
            suite.ask(name)
    differs = False
    for title, outcomes in suite.groups():
        print("\n".join(table(title, outcomes)))
        if "--details" in arguments:
            print("\n".join(f"    {line}" for line in details(outcomes)))
        differs = differs or any(one.unexpected for one in outcomes)
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
