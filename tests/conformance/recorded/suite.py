"""All recorded cases, run against one server: what the tests and the report share."""

from collections.abc import Iterator
from typing import Any

from tests.conformance.recorded import (
    asked_api,
    asked_concurrency,
    asked_dotnet,
    asked_function_urls,
    asked_functions,
    asked_images,
    asked_java,
    asked_runtimes,
)
from tests.conformance.recorded.asking import ASKED
from tests.conformance.recorded.known_differences import with_known
from tests.conformance.recorded.outcomes import Outcome, Status
from tests.conformance.recorded.placeholders import Place
from tests.conformance.recorded.recordings import cases, recorded_answers
from tests.conformance.recorded.replay import replay

ASKING_MODULES = (
    asked_api,
    asked_concurrency,
    asked_dotnet,
    asked_function_urls,
    asked_functions,
    asked_images,
    asked_java,
    asked_runtimes,
)
"""Importing them registers what they ask."""

SEES_THE_SANDBOX = (
    "TestLambdaBehavior::test_lambda_init_environment",
    "TestLambdaBehavior::test_runtime_introspection_x86",
    "TestLambdaBehavior::test_runtime_ulimits",
    "TestLambdaRuntimesCommon::test_introspection_invoke",
)
"""Cases whose functions tell where and as whom they run: as AWS's only in a namespace sandbox."""

SERVED_CLOSELY = ("[ruby", "[java", "[dotnet")
"""Cases of runtimes of which no version that AWS names can be expected here: asked where a close one serves."""

REPLAYED_TITLE = "Recorded requests, replayed"
ASKED_TITLE = "Recorded answers without requests, asked for"


class Suite:
    """Runs each case once, when it is first wanted, and keeps what became of it."""

    def __init__(self, client: Any, place: Place, *, has_namespaces: bool, close_client: Any) -> None:
        """`close_client` is of a server that takes close runtimes."""
        self._client = client
        self._close_client = close_client
        self._place = place
        self._has_namespaces = has_namespaces
        self.replayed: dict[str, Outcome] = {}
        self.asked: dict[str, Outcome] = {}

    def replay(self, name: str) -> Outcome:
        if name not in self.replayed:
            self.replayed[name] = with_known(replay(self._client, self._place, cases()[name]))
        return self.replayed[name]

    def ask(self, name: str) -> Outcome:
        if name not in self.asked:
            self.asked[name] = self._ask(name)
        return self.asked[name]

    def _ask(self, name: str) -> Outcome:
        if not self._has_namespaces and name.startswith(SEES_THE_SANDBOX):
            recorded = len(recorded_answers(ASKED[name].file)[name])
            return Outcome(name, Status.NEEDS_NAMESPACES, recorded, reason="looks at its sandbox")
        is_served_closely = any(mark in name for mark in SERVED_CLOSELY)
        return with_known(ASKED[name].run(self._close_client if is_served_closely else self._client, self._place))

    def groups(self) -> Iterator[tuple[str, list[Outcome]]]:
        """Title and outcomes of what has run so far."""
        for title, outcomes in ((REPLAYED_TITLE, self.replayed), (ASKED_TITLE, self.asked)):
            if outcomes:
                yield title, list(outcomes.values())
