"""Build step: `python -m lampion.aws.compile` turns botocore's service model into the table that ships in the package.

Needs botocore, which the running server never imports. Documentation text is left out.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

TABLES: Final = Path(__file__).with_name("tables")
SERVICES: Final = {
    "lambda": "2015-03-31",
    "ecr": "2015-09-21",
    "iam": "2010-05-08",
    "sts": "2011-06-15",
    "kms": "2014-11-01",
}
PROTOCOLS: Final = frozenset({"rest-json", "json", "query"})
OPERATIONS: Final = {
    "ecr": frozenset(
        (
            "BatchDeleteImage",
            "BatchGetImage",
            "CreateRepository",
            "DeleteRepository",
            "DescribeImages",
            "DescribeRepositories",
            "GetAuthorizationToken",
            "ListImages",
            "ListTagsForResource",
        )
    )
}
"""Of services of which only some are offered; all of them of the others."""

_NOTICE: Final = (
    "Compiled from the service model in botocore {version}, Copyright Amazon.com, Inc. or its affiliates, "
    "licensed under the Apache License, Version 2.0 (http://www.apache.org/licenses/LICENSE-2.0). "
    "Changed: reduced to what is on the wire; documentation left out."
)
_SHAPE_TRAITS: Final = ("min", "max", "pattern", "enum", "required", "payload", "sensitive", "streaming", "eventstream")
_MEMBER_TRAITS: Final = {"locationName": "wire_name", "eventpayload": "eventpayload"}
_FAULTS: Final = {False: 400, True: 500}
"""Of errors whose protocol leaves it at whose fault it is."""
_SUPPORTED_LOCATIONS: Final = frozenset({"uri", "querystring", "header", "headers", "statusCode"})


def compile_service(service: str, api_version: str) -> str:
    """The table of one service as JSON text, one operation or shape a line; equal input gives equal bytes."""
    import botocore  # noqa: PLC0415 - a build-time dependency only
    from botocore.loaders import Loader  # noqa: PLC0415

    loader = Loader()
    model = _offered(service, loader.load_service_model(service, "service-2", api_version))
    paginators = loader.load_service_model(service, "paginators-1", api_version)["pagination"]
    head = {
        "notice": _NOTICE.format(version=botocore.__version__),
        "botocore": botocore.__version__,
        **_metadata(service, model["metadata"]),
    }
    operations = {name: _operation(model["operations"][name]) for name in sorted(model["operations"])}
    reached = set(_reachable(model))
    shapes = {name: _shape(name, model["shapes"][name]) for name in sorted(reached)}
    sections = {
        "operations": operations,
        "paginators": {
            name: _paginator(paginators[name]) for name in sorted(paginators) if name in model["operations"]
        },
        "shapes": shapes,
    }
    return _render(head, sections)


def _offered(service: str, model: dict[str, Any]) -> dict[str, Any]:
    """The model with the operations that are offered alone, and the errors that they have."""
    wanted = OPERATIONS.get(service)
    if wanted is None:
        return model
    operations = {name: model["operations"][name] for name in wanted}
    errors = {error["shape"] for operation in operations.values() for error in operation.get("errors", ())}
    shapes = {name: shape for name, shape in model["shapes"].items() if name in errors or "exception" not in shape}
    return {**model, "operations": operations, "shapes": shapes}


def _metadata(service: str, metadata: Mapping[str, Any]) -> dict[str, str]:
    protocol = metadata["protocol"]
    if protocol not in PROTOCOLS:
        raise ValueError(f"{service} speaks {protocol}; known protocols: {sorted(PROTOCOLS)}")
    head = {
        "service": service,
        "api_version": metadata["apiVersion"],
        "protocol": protocol,
        "signing_name": metadata.get("signingName", metadata["endpointPrefix"]),
    }
    given = {"target_prefix": "targetPrefix", "xml_namespace": "xmlNamespace"}
    return head | {ours: metadata[theirs] for ours, theirs in given.items() if theirs in metadata}


def _operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    http = operation["http"]
    row: dict[str, Any] = {"method": http["method"], "uri": http["requestUri"], "status": http.get("responseCode", 200)}
    for side in ("input", "output"):
        if side in operation:
            row[side] = operation[side]["shape"]
    if "resultWrapper" in operation.get("output", {}):
        row["result_wrapper"] = operation["output"]["resultWrapper"]
    row["errors"] = sorted(error["shape"] for error in operation.get("errors", ()))
    return row


def _paginator(paginator: Mapping[str, Any]) -> dict[str, Any]:
    row = {key: paginator[key] for key in ("input_token", "output_token", "limit_key", "result_key")}
    if isinstance(row["result_key"], list):  # of several lists, paged together
        row["result_key"] = row["result_key"][0]
    return row


def _shape(name: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"type": shape["type"]}
    row.update((trait, shape[trait]) for trait in _SHAPE_TRAITS if trait in shape)
    if "timestampFormat" in shape:
        row["timestamp_format"] = shape["timestampFormat"]
    if "members" in shape:
        row["members"] = {member: _member(f"{name}.{member}", ref) for member, ref in shape["members"].items()}
    for trait in ("member", "key", "value"):
        if trait in shape:
            row[trait] = shape[trait]["shape"]
    if "exception" in shape:
        row["error_status"] = (
            shape["error"]["httpStatusCode"] if "error" in shape else _FAULTS[bool(shape.get("fault"))]
        )
        if "code" in shape.get("error", {}):
            row["error_code"] = shape["error"]["code"]
    return row


def _member(where: str, member: Mapping[str, Any]) -> dict[str, Any]:
    location = member.get("location")
    if location is not None and location not in _SUPPORTED_LOCATIONS:
        raise ValueError(f"{where}: unknown location {location!r}")
    if "timestampFormat" in member or member.get("jsonvalue") or member.get("eventheader"):
        raise ValueError(f"{where}: timestampFormat, jsonvalue and eventheader on members are not known here")
    row = {"shape": member["shape"]}
    if location is not None:
        row["location"] = location
    row.update((ours, member[trait]) for trait, ours in _MEMBER_TRAITS.items() if trait in member)
    return row


def _reachable(model: Mapping[str, Any]) -> Iterator[str]:
    """Names of the shapes that some operation's input, output or error leads to."""
    waiting = [
        reference["shape"]
        for operation in model["operations"].values()
        for reference in (operation.get("input"), operation.get("output"), *operation.get("errors", ()))
        if reference is not None
    ]
    waiting += [name for name, shape in model["shapes"].items() if shape.get("exception")]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        yield name
        shape = model["shapes"][name]
        waiting += [ref["shape"] for ref in shape.get("members", {}).values()]
        waiting += [shape[trait]["shape"] for trait in ("member", "key", "value") if trait in shape]


def _render(head: Mapping[str, str], sections: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"{_compact(key)}:{_compact(value)}" for key, value in head.items()]
    for title, rows in sections.items():
        body = ",\n".join(f"{_compact(name)}:{_compact(row)}" for name, row in rows.items())
        lines.append(f"{_compact(title)}:{{\n{body}\n}}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def main() -> None:
    """Write every service's table beside this file."""
    TABLES.mkdir(exist_ok=True)
    for service, api_version in SERVICES.items():
        target = TABLES / f"{service}.json"
        target.write_text(compile_service(service, api_version), encoding="utf-8")
        sys.stdout.write(f"wrote {target.name}, {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
