"""From method and raw path to an operation: a tree of path segments, literal before label, in one walk."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from lampion.aws.model import Operation, ServiceModel

_REMEMBERED_MAX: Final = 1024
_REMEMBERED_CHARACTERS: Final = 512
_LABEL: Final = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Match:
    """The operation a request names, and its percent-decoded path labels by label name."""

    operation: Operation
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Route:
    """An operation at the end of its path. `query` are literal pairs that the URI demands (`List=ALL`)."""

    operation: Operation
    label_names: tuple[str, ...]
    query: frozenset[str]


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    label: "_Node | None" = None
    routes: dict[str, list[_Route]] = field(default_factory=dict)
    greedy: dict[str, list[_Route]] = field(default_factory=dict)


class Router:
    """All routes of one service. Raises ValueError when two operations claim the same requests."""

    def __init__(self, service: ServiceModel) -> None:
        self._root = _Node()
        self._recent: dict[tuple[str, str, str], Match] = {}
        for operation in service.operations.values():
            self._add(operation)

    def match(self, method: str, path: str, query: str = "") -> Match | None:
        """The operation behind `method` and the raw, still percent-encoded `path` and `query`; None when there is none.

        A trailing slash is tolerated. Labels are decoded after the split: an encoded "/" stays in its label.
        """
        request = (method, path, query)
        recent = self._recent.get(request)
        if recent is not None:
            return recent
        match = self._match(method, path, query)
        if match is not None and len(path) + len(query) <= _REMEMBERED_CHARACTERS:
            if len(self._recent) >= _REMEMBERED_MAX:
                self._recent.clear()
            self._recent[request] = match
        return match

    def _match(self, method: str, path: str, query: str) -> Match | None:
        segments = path.split("/")
        if segments[0] or len(segments) < 2:
            return None
        if not segments[-1]:
            del segments[-1]
        values: list[str] = []
        routes = _find(self._root, segments, 1, method, values)
        if not routes:
            return None
        route = routes[0] if len(routes) == 1 and not routes[0].query else _by_query(routes, query)
        if route is None:
            return None
        decoded = [unquote(value) if "%" in value else value for value in values]
        return Match(route.operation, dict(zip(route.label_names, decoded, strict=True)))

    def _add(self, operation: Operation) -> None:
        path, _, query = operation.uri.partition("?")
        route = _Route(
            operation, tuple(name for name, _ in _LABEL.findall(path)), frozenset(filter(None, query.split("&")))
        )
        node = self._root
        routes = node.routes
        for segment in path.strip("/").split("/"):
            label = _LABEL.fullmatch(segment)
            if label is not None and label[2]:
                routes = node.greedy
                break
            if label is not None:
                node.label = node.label or _Node()
                node = node.label
            else:
                node = node.literals.setdefault(segment, _Node())
            routes = node.routes
        claimed = routes.setdefault(operation.method, [])
        if any(other.query == route.query for other in claimed):
            raise ValueError(f"{operation.name} is routed like another operation: {operation.method} {operation.uri}")
        claimed.append(route)
        claimed.sort(key=lambda candidate: -len(candidate.query))


def _find(node: _Node, segments: list[str], at: int, method: str, values: list[str]) -> list[_Route] | None:
    """The routes at the end of the path, with the raw label values left in `values`."""
    if at == len(segments):
        return node.routes.get(method)
    segment = segments[at]
    child = node.literals.get(segment)
    if child is not None:
        found = _find(child, segments, at + 1, method, values)
        if found:
            return found
    if node.label is not None and segment and segment not in {".", ".."}:
        values.append(segment)
        found = _find(node.label, segments, at + 1, method, values)
        if found:
            return found
        values.pop()
    greedy = node.greedy.get(method)
    if greedy:
        values.append("/".join(segments[at:]))
    return greedy


def _by_query(routes: list[_Route], query: str) -> _Route | None:
    present = set(query.split("&"))
    return next((route for route in routes if route.query <= present), None)
