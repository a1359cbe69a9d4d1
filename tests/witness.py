"""Sees what operations of the API answered each test with success: what makes the compatibility page true.

The rows are in tests/conformance/operations.toml: each names a test. That test must pass and have such an answer.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest  # not there where the escape suite runs as an ordinary user

_TESTS_FAILED: Final = 1  # pytest.ExitCode.TESTS_FAILED
ROWS_FILE = Path(__file__).parent / "conformance" / "operations.toml"


@dataclass(frozen=True, slots=True)
class Rows:
    """`proofs`: the test that proves each operation; `later`: why each other one answers 501."""

    proofs: Mapping[str, str]
    later: Mapping[str, str]


def rows() -> Rows:
    found = tomllib.loads(ROWS_FILE.read_text(encoding="utf-8"))
    return Rows(found["proofs"], found["later"])


@dataclass(slots=True, eq=False)
class Witness:
    """What was seen in this run: which tests passed, and what they were answered."""

    passed: set[str] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)
    answered: dict[str, set[str]] = field(default_factory=dict)

    def watch(self, client: Any) -> None:
        """See what boto3's `client` is answered from now on."""
        client.meta.events.register("after-call.lambda", self._note)

    def complaints(self, proofs: Mapping[str, str]) -> list[str]:
        """Rows that this run shows to be wrong. A row whose test did not run is none."""
        wrong = []
        for operation, test in proofs.items():
            if test not in self.ran:
                continue
            if test not in self.passed:
                wrong.append(f"{operation}: {test} did not pass")
            elif operation not in self.answered.get(test, ()):
                wrong.append(f"{operation}: {test} was given no answer of it")
        return wrong

    def pytest_runtest_logreport(self, report: "pytest.TestReport") -> None:
        if report.when == "call":
            self.ran.add(report.nodeid)
            if report.passed:
                self.passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: "pytest.Session") -> None:
        wrong = self.complaints(rows().proofs)
        if wrong:
            session.exitstatus = _TESTS_FAILED
            reporter = session.config.pluginmanager.get_plugin("terminalreporter")
            if reporter is not None:
                reporter.write_line("\ntests/conformance/operations.toml is wrong:\n" + "\n".join(wrong), red=True)

    def _note(self, http_response: Any, model: Any, **_: Any) -> None:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
        if test and http_response.status_code < 300:
            self.answered.setdefault(test, set()).add(model.name)


WITNESS = Witness()
