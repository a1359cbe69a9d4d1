"""What a module calls, by full name: `from time import sleep as nap; nap(1)` is a call of time.sleep."""

import ast
from collections.abc import Iterator


def calls_of(module: ast.Module) -> Iterator[tuple[int, str, ast.Call]]:
    """Line, dotted name and node of every call. A method on an unknown object is `*.method`."""
    names = imported_names(module)
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield node.lineno, _dotted(node.func, names), node


def imports_of(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every import."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


def imported_names(module: ast.Module) -> dict[str, str]:
    """Local name to what it stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _dotted(function: ast.expr, names: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        root = names.get(function.id) or (function.id if not parts else "*")
        return ".".join([root, *reversed(parts)])
    if isinstance(function, ast.Call) and len(parts) == 1:
        return f"{_dotted(function.func, names)}().{parts[0]}"
    return ".".join(["*", *reversed(parts)])
