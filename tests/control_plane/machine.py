"""Operations in any order, on few names so that they collide; after each, all that is there is as the model has it."""

from typing import Any

from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.control_plane.model import LATEST, Alias, Model, Refused, Settings
from tests.control_plane.planes import Answer, Plane
from tests.deployment import ROLE, zipped

NAMES = some.sampled_from(["a", "a", "a", "b"])
DOOMED = some.sampled_from(["b", "b", "b", "b", "a"])
"""So that what is deleted had a life before."""
ALIASES = some.sampled_from(["x", "y"])
VERSIONS = some.sampled_from([LATEST, "1", "2", "3"])
DESCRIPTIONS = some.sampled_from(["", "one", "two"])
MEMORY = some.sampled_from([128, 256])
CODES = some.integers(0, 1)
WEIGHTS = some.dictionaries(some.sampled_from(["1", "2"]), some.just(0.25), max_size=1)
REVISIONS = some.sampled_from([None, None, "current", "old"])
PACKAGES = [zipped(f"def handler(event, context): return {number}") for number in range(2)]


class ControlPlane(RuleBasedStateMachine):
    """Subclasses say which plane (`begin`)."""

    def __init__(self) -> None:
        super().__init__()
        self.plane = self.begin()
        self.model = Model()
        self.revisions: dict[tuple[str, int], str] = {}

    def begin(self) -> Plane:
        raise NotImplementedError

    def teardown(self) -> None:
        self.plane.close()

    @initialize()
    def one_function_with_two_versions(self) -> None:
        self.create_function(name="a", description="", memory=128, code=0, publish=True)
        self.update_code(name="a", code=1, publish=True, revision=None)
        self.create_alias(name="a", alias="x", version="1", description="", weights={})

    @rule(name=NAMES, description=DESCRIPTIONS, memory=MEMORY, code=CODES, publish=some.booleans())
    def create_function(self, name: str, description: str, memory: int, code: int, publish: bool) -> None:
        answer = self.plane.ask(
            "CreateFunction",
            FunctionName=name,
            Role=ROLE,
            Runtime="python3.12",
            Handler="index.handler",
            Description=description,
            MemorySize=memory,
            Code={"ZipFile": PACKAGES[code]},
            Publish=publish,
        )
        settings = Settings(description, memory, code)
        if self._agrees(answer, lambda: self.model.create(name, settings, publish=publish)):
            assert answer.members["Version"] == ("1" if publish else LATEST)

    @rule(name=NAMES, description=some.none() | DESCRIPTIONS, memory=some.none() | MEMORY, revision=REVISIONS)
    def update_configuration(
        self, name: str, description: str | None, memory: int | None, revision: str | None
    ) -> None:
        number, sent = self._revision(name, "", revision)
        changes: dict[str, Any] = {"Description": description, "MemorySize": memory, "RevisionId": sent}
        answer = self.plane.ask("UpdateFunctionConfiguration", FunctionName=name, **_given(changes))
        self._agrees(
            answer, lambda: self.model.configure(name, description=description, memory=memory, revision=number)
        )

    @rule(name=NAMES, code=CODES, publish=some.booleans(), revision=REVISIONS)
    def update_code(self, name: str, code: int, publish: bool, revision: str | None) -> None:
        number, sent = self._revision(name, "", revision)
        arguments = _given({"Publish": publish, "RevisionId": sent})
        answer = self.plane.ask("UpdateFunctionCode", FunctionName=name, ZipFile=PACKAGES[code], **arguments)
        made: list[str] = []
        if self._agrees(answer, lambda: made.append(self.model.deploy(name, code, publish=publish, revision=number))):
            assert answer.members["Version"] == made[0]

    @rule(name=NAMES, description=some.none() | DESCRIPTIONS, revision=REVISIONS)
    def publish_version(self, name: str, description: str | None, revision: str | None) -> None:
        number, sent = self._revision(name, "", revision)
        arguments = _given({"Description": description, "RevisionId": sent})
        answer = self.plane.ask("PublishVersion", FunctionName=name, **arguments)
        made: list[str] = []
        if self._agrees(answer, lambda: made.append(self.model.publish(name, description, number))):
            assert answer.members["Version"] == made[0]

    @rule(name=DOOMED)
    def delete_function(self, name: str) -> None:
        self._agrees(self.plane.ask("DeleteFunction", FunctionName=name), lambda: self.model.delete(name))

    @rule(name=NAMES, version=some.sampled_from(["1", "2"]))
    def delete_version(self, name: str, version: str) -> None:
        answer = self.plane.ask("DeleteFunction", FunctionName=name, Qualifier=version)
        self._agrees(answer, lambda: self.model.delete_version(name, version))

    @rule(name=NAMES, alias=ALIASES, version=VERSIONS, description=DESCRIPTIONS, weights=WEIGHTS)
    def create_alias(self, name: str, alias: str, version: str, description: str, weights: dict[str, float]) -> None:
        answer = self.plane.ask(
            "CreateAlias",
            FunctionName=name,
            Name=alias,
            FunctionVersion=version,
            Description=description,
            RoutingConfig={"AdditionalVersionWeights": weights},
        )
        self._agrees(answer, lambda: self.model.create_alias(name, alias, version, description, weights))

    @rule(name=NAMES, alias=ALIASES, version=some.none() | VERSIONS, weights=some.none() | WEIGHTS, revision=REVISIONS)
    def update_alias(
        self, name: str, alias: str, version: str | None, weights: dict[str, float] | None, revision: str | None
    ) -> None:
        number, sent = self._revision(name, alias, revision)
        routing = None if weights is None else {"AdditionalVersionWeights": weights}
        changes = _given({"FunctionVersion": version, "RoutingConfig": routing, "RevisionId": sent})
        answer = self.plane.ask("UpdateAlias", FunctionName=name, Name=alias, **changes)
        self._agrees(
            answer, lambda: self.model.update_alias(name, alias, version=version, weights=weights, revision=number)
        )

    @rule(name=NAMES, alias=ALIASES)
    def delete_alias(self, name: str, alias: str) -> None:
        answer = self.plane.ask("DeleteAlias", FunctionName=name, Name=alias)
        self._agrees(answer, lambda: self.model.delete_alias(name, alias))

    @rule(name=NAMES, qualifier=VERSIONS | ALIASES)
    def get_function(self, name: str, qualifier: str) -> None:
        answer = self.plane.ask("GetFunctionConfiguration", FunctionName=name, Qualifier=qualifier)
        found: list[tuple[str, Settings, int]] = []
        if self._agrees(answer, lambda: found.append(self.model.get(name, qualifier))):
            version, settings, revision = found[0]
            assert answer.members["Version"] == version
            self._shows(name, version, settings, revision, answer.members)

    @invariant()
    def everything_is_as_the_model_has_it(self) -> None:
        listed = self._walk("ListFunctions", "Functions", MaxItems=1)
        assert [one["FunctionName"] for one in listed] == sorted(self.model.functions)
        for name, function in self.model.functions.items():
            versions = self._walk("ListVersionsByFunction", "Versions", FunctionName=name, MaxItems=2)
            assert [one["Version"] for one in versions] == [LATEST, *sorted(function.versions, key=int)]
            for one in versions:
                version, settings, revision = self.model.get(name, one["Version"])
                self._shows(name, version, settings, revision, one)
            aliases = self._walk("ListAliases", "Aliases", FunctionName=name, MaxItems=1)
            assert [one["Name"] for one in aliases] == sorted(function.aliases)
            for one in aliases:
                self._shows_alias(name, function.aliases[one["Name"]], one)

    def _agrees(self, answer: Answer, step: Any) -> bool:
        """Whether both did it; when the model refuses, the plane must have said the same."""
        refusal = None
        try:
            step()
        except Refused as refused:
            refusal = refused.code
        assert answer.error == refusal
        return refusal is None

    def _walk(self, operation: str, member: str, **arguments: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        marker: dict[str, str] = {}
        while True:
            answer = self.plane.ask(operation, **arguments, **marker)
            assert answer.error is None
            assert len(answer.members[member]) <= arguments["MaxItems"]
            found += answer.members[member]
            if not answer.members.get("NextMarker"):
                return found
            marker = {"Marker": answer.members["NextMarker"]}

    def _shows(self, name: str, version: str, settings: Settings, revision: int, shown: dict[str, Any]) -> None:
        assert (shown["Description"], shown["MemorySize"]) == (settings.description, settings.memory)
        self._same_revision(f"{name}:{version}", revision, shown["RevisionId"])

    def _shows_alias(self, name: str, alias: Alias, shown: dict[str, Any]) -> None:
        weights = (shown.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {})
        assert (shown["FunctionVersion"], shown["Description"]) == (alias.version, alias.description)
        assert weights == dict(alias.weights)
        self._same_revision(f"{name}:{shown['Name']}", alias.revision, shown["RevisionId"])

    def _same_revision(self, what: str, number: int, revision_id: str) -> None:
        """Once seen, a state keeps its RevisionId; and no other state has had it."""
        known = self.revisions.setdefault((what, number), revision_id)
        assert known == revision_id
        others = {one for place, one in self.revisions.items() if place != (what, number)}
        assert revision_id not in others

    def _revision(self, name: str, alias: str, which: str | None) -> tuple[int | None, str | None]:
        """A RevisionId to send, and the model's number of it."""
        function = self.model.functions.get(name)
        if which is None or function is None:
            return None, None
        if which == "old":
            return -1, "00000000-0000-4000-8000-000000000000"
        if not alias:
            return function.revision, self.revisions.get((f"{name}:{LATEST}", function.revision))
        if alias not in function.aliases:
            return None, None
        number = function.aliases[alias].revision
        return number, self.revisions.get((f"{name}:{alias}", number))


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
