"""The recorded cases run once for the session; at its end their count is printed."""

import pytest

from tests.conformance.recorded.outcomes import table
from tests.conformance.recorded.report import suite_of
from tests.conformance.recorded.suite import Suite
from tests.live_server import LiveServer

_SUITE = pytest.StashKey[Suite]()


@pytest.fixture(scope="session")
def suite(live_server: LiveServer, close_runtimes_server: LiveServer, pytestconfig: pytest.Config) -> Suite:
    """Every recorded case, against the shared servers."""
    pytestconfig.stash[_SUITE] = suite_of(live_server, close_runtimes_server)
    return pytestconfig.stash[_SUITE]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    suite = config.stash.get(_SUITE, None)
    if suite is None:
        return
    terminalreporter.section("answers recorded from AWS")
    for title, outcomes in suite.groups():
        for line in table(title, outcomes):
            terminalreporter.write_line(line)
