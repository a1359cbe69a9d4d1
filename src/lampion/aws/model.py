"""The service model as frozen values: operations, shapes, members. From the compiled table and the overrides."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import msgspec

from lampion.aws.overrides import Override, load_overrides


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a structure: its shape, and where on the wire it travels (None = in the body).

    `eventpayload`: of an event of a stream, it is the whole payload.
    """

    shape: str
    location: str | None = None
    wire_name: str = ""
    eventpayload: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of the model. Only the traits that the shape's `type` knows are set."""

    type: str
    members: Mapping[str, Member] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    payload: str | None = None
    member: str = ""
    key: str = ""
    value: str = ""
    min: float | None = None
    max: float | None = None
    pattern: str | None = None
    enum: tuple[str, ...] = ()
    sensitive: bool = False
    streaming: bool = False
    eventstream: bool = False
    timestamp_format: str | None = None
    error_status: int | None = None
    error_code: str = ""
    """On an error: its name on the wire, where that isn't the shape's."""
    accepted: tuple[str, ...] = ()
    """Values taken beside those of `enum`, which are the ones that messages name."""
    null_named: bool = True
    """On a list: whether messages about its elements name "Member must not be null" among the constraints."""
    bare_constraint: bool = False
    """On a list: whether a message names the element's constraint without "Member must satisfy constraint: [...]"."""
    named_last: tuple[str, ...] = ()
    """On an operation's input: members whose faults are told after those of the others."""

    @property
    def message_member(self) -> str | None:
        """How an error shape spells its message: `message` or `Message`."""
        return next((name for name in self.members if name.lower() == "message"), None)


@dataclass(frozen=True, slots=True)
class Paginator:
    """Members by which a list operation is paged."""

    input_token: str
    output_token: str
    limit_key: str
    result_key: str


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation. `uri` may end in a literal query (`?List=ALL`); `shapes` are all shapes of the service."""

    name: str
    method: str
    uri: str
    status: int
    input: str | None
    output: str | None
    errors: tuple[str, ...]
    protocol: str
    shapes: Mapping[str, Shape] = field(repr=False)
    result_wrapper: str = ""
    """In XML, the element that the output's members are in."""


@dataclass(frozen=True, slots=True, eq=False)
class ServiceModel:
    """One AWS service. Shapes refer to one another by name, so that recursive shapes need no tricks."""

    name: str
    api_version: str
    protocol: str
    signing_name: str
    operations: Mapping[str, Operation] = field(repr=False)
    shapes: Mapping[str, Shape] = field(repr=False)
    paginators: Mapping[str, Paginator] = field(repr=False)
    target_prefix: str = ""
    """What X-Amz-Target begins with, in protocols that name the operation there."""
    xml_namespace: str = ""
    """Of answers in XML."""

    def error(self, code: str) -> Shape | None:
        """The error shape of that name, None when the model has none."""
        shape = self.shapes.get(code)
        return shape if shape is not None and shape.error_status is not None else None


@dataclass(frozen=True, slots=True)
class _OperationRow:
    method: str
    uri: str
    status: int
    errors: tuple[str, ...]
    input: str | None = None
    output: str | None = None
    result_wrapper: str = ""


@dataclass(frozen=True, slots=True)
class _Table:
    service: str
    api_version: str
    protocol: str
    signing_name: str
    operations: dict[str, _OperationRow]
    paginators: dict[str, Paginator]
    shapes: dict[str, Shape]
    target_prefix: str = ""
    xml_namespace: str = ""


@cache
def load_service(name: str) -> ServiceModel:
    """The model of service `name` ("lambda") as AWS's server has it. Raises FileNotFoundError for an unknown one."""
    text = Path(__file__).with_name("tables").joinpath(f"{name}.json").read_bytes()
    return build_service(text, load_overrides().get(name, ()))


def build_service(table: bytes, overrides: tuple[Override, ...]) -> ServiceModel:
    """A model out of a compiled table's JSON. Raises ValueError when an override names nothing in the table."""
    rows = msgspec.json.decode(table, type=_Table)
    shapes = dict(rows.shapes)
    for override in overrides:
        _apply(override, shapes)
    operations = {
        name: Operation(
            name,
            row.method,
            row.uri,
            row.status,
            row.input,
            row.output,
            row.errors,
            rows.protocol,
            shapes,
            row.result_wrapper,
        )
        for name, row in rows.operations.items()
    }
    return ServiceModel(
        rows.service,
        rows.api_version,
        rows.protocol,
        rows.signing_name,
        operations,
        shapes,
        rows.paginators,
        rows.target_prefix,
        rows.xml_namespace,
    )


def _apply(override: Override, shapes: dict[str, Shape]) -> None:
    """Change a shape for everybody ("RoleArn"), or in one place alone: a member of a structure, "member" of a list."""
    owner, _, place = override.of.partition(".")
    if owner not in shapes or not (
        place in {"", *shapes[owner].members} or (place == "member" and shapes[owner].member)
    ):
        raise ValueError(f"overrides.toml: {override.of} is not in the model")
    if not place:
        shapes[owner] = _changed(shapes[owner], override)
    elif place == "member":
        shapes[override.of] = _changed(shapes[shapes[owner].member], override)
        shapes[owner] = replace(shapes[owner], member=override.of)
    else:
        reference = shapes[owner].members[place]
        shapes[override.of] = _changed(shapes[reference.shape], override)
        members = {**shapes[owner].members, place: replace(reference, shape=override.of)}
        shapes[owner] = replace(shapes[owner], members=members)


def _changed(shape: Shape, override: Override) -> Shape:
    accepted = shape.enum if override.changes.get("enum") else ()
    return replace(shape, accepted=accepted, **override.changes)
