"""What the control plane should do, in plain Python: dictionaries, no store, no concurrency, nothing of ours."""

from dataclasses import dataclass, field, replace
from itertools import count

LATEST = "$LATEST"

NOT_FOUND = "ResourceNotFoundException"
CONFLICT = "ResourceConflictException"
INVALID = "InvalidParameterValueException"
STALE = "PreconditionFailedException"


class Refused(Exception):
    """The answer is this error, and nothing changes."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Settings:
    """What a caller sets on a function, as far as the model goes; `code` stands for a package."""

    description: str = ""
    memory: int = 128
    code: int = 0


@dataclass(frozen=True)
class Version:
    """What was published, and how it is described itself."""

    of: Settings
    description: str
    revision: int

    @property
    def shown(self) -> Settings:
        return replace(self.of, description=self.description)


@dataclass(frozen=True)
class Alias:
    """`weights` is empty, or one further version and its part."""

    version: str
    description: str
    weights: tuple[tuple[str, float], ...]
    revision: int

    @property
    def versions(self) -> set[str]:
        return {self.version, *(version for version, _ in self.weights)}


@dataclass
class Function:
    """Revisions are numbers here: two states have the same one if and only if they have the same RevisionId.

    `attached` is what is configured on it, on a version or on an alias: by kind and qualifier.
    """

    latest: Settings
    revision: int
    versions: dict[str, Version] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    last_version: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    reserved: int | None = None
    attached: dict[tuple[str, str], object] = field(default_factory=dict)

    def has(self, qualifier: str) -> bool:
        return qualifier == LATEST or qualifier in self.versions or qualifier in self.aliases

    def forget(self, qualifier: str) -> None:
        """What is configured on a version or an alias goes with it, but its URL."""
        self.attached = {
            (kind, whose): one for (kind, whose), one in self.attached.items() if kind == "url" or whose != qualifier
        }


@dataclass
class Model:
    """One account's functions by name. Methods are operations; they raise Refused."""

    functions: dict[str, Function] = field(default_factory=dict)
    _revisions: "count[int]" = field(default_factory=lambda: count(1))

    def create(self, name: str, settings: Settings, *, publish: bool) -> Function:
        if name in self.functions:
            raise Refused(CONFLICT)
        function = self.functions[name] = Function(settings, next(self._revisions))
        if publish:
            self._publish(function, None)
        return function

    def find(self, name: str) -> Function:
        if name not in self.functions:
            raise Refused(NOT_FOUND)
        return self.functions[name]

    def get(self, name: str, qualifier: str) -> tuple[str, Settings, int]:
        """Version, settings and revision of what a qualifier names; an alias stands for its main version."""
        function = self.find(name)
        version = function.aliases[qualifier].version if qualifier in function.aliases else qualifier
        if version == LATEST:
            return version, function.latest, function.revision
        if version not in function.versions:
            raise Refused(NOT_FOUND)
        found = function.versions[version]
        return version, found.shown, found.revision

    def configure(self, name: str, *, description: str | None, memory: int | None, revision: int | None) -> Settings:
        function = self._at(name, revision)
        changes: dict[str, str | int] = {}
        if description is not None:
            changes["description"] = description
        if memory is not None:
            changes["memory"] = memory
        function.latest = replace(function.latest, **changes)  # type: ignore[arg-type]
        function.revision = next(self._revisions)
        return function.latest

    def deploy(self, name: str, code: int, *, publish: bool, revision: int | None) -> str:
        """The version answered."""
        function = self._at(name, revision)
        function.latest = replace(function.latest, code=code)
        function.revision = next(self._revisions)
        return self._publish(function, None) if publish else LATEST

    def publish(self, name: str, description: str | None, revision: int | None) -> str:
        """The version answered."""
        return self._publish(self._at(name, revision), description)

    def delete(self, name: str) -> None:
        self.find(name)
        del self.functions[name]

    def delete_version(self, name: str, version: str) -> None:
        function = self.find(name)
        if version in function.versions:
            if any(version in alias.versions for alias in function.aliases.values()):
                raise Refused(CONFLICT)
            del function.versions[version]
            function.forget(version)

    def create_alias(self, name: str, alias: str, version: str, description: str, weights: dict[str, float]) -> Alias:
        made = Alias(version, description, tuple(weights.items()), next(self._revisions))
        self._check_alias(name, made)
        function = self.find(name)
        if alias in function.aliases:
            raise Refused(CONFLICT)
        function.aliases[alias] = made
        return made

    def update_alias(
        self, name: str, alias: str, *, version: str | None, weights: dict[str, float] | None, revision: int | None
    ) -> Alias:
        before = self.functions[name].aliases.get(alias) if name in self.functions else None
        if before is None:
            raise Refused(NOT_FOUND)
        if revision is not None and revision != before.revision:
            raise Refused(STALE)
        changed = replace(
            before,
            version=before.version if version is None else version,
            weights=before.weights if weights is None else tuple(weights.items()),
            revision=next(self._revisions),
        )
        self._check_alias(name, changed)
        self.functions[name].aliases[alias] = changed
        return changed

    def delete_alias(self, name: str, alias: str) -> None:
        function = self.find(name)
        if function.aliases.pop(alias, None) is not None:
            function.forget(alias)

    def attach(self, kind: str, name: str, qualifier: str, value: object, *, new: bool) -> None:
        """Configure something; `new`: there must be none yet."""
        function = self.find(name)
        if not function.has(qualifier):
            raise Refused(NOT_FOUND)
        if new and (kind, qualifier) in function.attached:
            raise Refused(CONFLICT)
        function.attached[kind, qualifier] = value

    def detach(self, kind: str, name: str, qualifier: str) -> None:
        function = self.find(name)
        if function.attached.pop((kind, qualifier), None) is None:
            raise Refused(NOT_FOUND)

    def permit(self, name: str, qualifier: str, statement: str) -> None:
        function = self.find(name)
        if not function.has(qualifier):
            raise Refused(NOT_FOUND)
        statements = self.statements(name, qualifier)
        if statement in statements:
            raise Refused(CONFLICT)
        function.attached["policy", qualifier] = (*statements, statement)

    def forbid(self, name: str, qualifier: str, statement: str) -> None:
        statements = self.statements(name, qualifier)
        if statement not in statements:
            raise Refused(NOT_FOUND)
        rest = tuple(one for one in statements if one != statement)
        self.functions[name].attached["policy", qualifier] = rest
        if not rest:
            del self.functions[name].attached["policy", qualifier]

    def statements(self, name: str, qualifier: str) -> tuple[str, ...]:
        found = self.find(name).attached.get(("policy", qualifier), ())
        assert isinstance(found, tuple)
        return found

    def tag(self, name: str, tags: dict[str, str], without: str | None) -> None:
        """Add `tags`, or remove the key `without`; other tags are another revision."""
        function = self.find(name)
        after = {**function.tags, **tags}
        if without is not None:
            after.pop(without, None)
        if after != function.tags:
            function.tags, function.revision = after, next(self._revisions)

    def reserve(self, name: str, executions: int | None) -> None:
        """Of 1000 at least 100 stay unreserved."""
        function = self.find(name)
        others = sum(one.reserved or 0 for one in self.functions.values() if one is not function)
        if executions is not None and others + executions > 900 and executions > (function.reserved or 0):
            raise Refused(INVALID)
        function.reserved = executions

    def _at(self, name: str, revision: int | None) -> Function:
        function = self.find(name)
        if revision is not None and revision != function.revision:
            raise Refused(STALE)
        return function

    def _publish(self, function: Function, description: str | None) -> str:
        last = function.versions.get(str(function.last_version))
        if last is not None and last.of == function.latest:
            return str(function.last_version)
        function.last_version += 1
        function.revision = next(self._revisions)
        own = function.latest.description if description is None else description
        function.versions[str(function.last_version)] = Version(function.latest, own, next(self._revisions))
        return str(function.last_version)

    def _check_alias(self, name: str, alias: Alias) -> None:
        if alias.weights and (alias.version == LATEST or alias.version in dict(alias.weights)):
            raise Refused(INVALID)
        function = self.functions.get(name)
        for version in alias.versions:
            if function is None or not (version == LATEST or version in function.versions):
                raise Refused(NOT_FOUND)
