"""Readers of one text by shape: what labels, queries and headers carry."""

from collections.abc import Callable
from typing import Any, Final

from lampion.aws.model import Shape
from lampion.aws.readers import RANGES, SCALARS, refuse

_NUMBER_CHARACTERS: Final = 400
"""Longer texts are no numbers: reading one takes time that grows with the square of its length."""


def text_reader(shape: Shape) -> Callable[[str], Any]:
    """A reader of one text for a scalar shape."""
    return _TEXTS.get(shape.type, _text_string)


def _text_string(text: str) -> str:
    return text


def _text_number(type_name: str) -> Callable[[str], Any]:
    read = SCALARS[type_name]
    convert = int if type_name in RANGES else float

    def read_text(text: str) -> Any:
        try:
            if not text.isascii() or "_" in text or text != text.strip() or len(text) > _NUMBER_CHARACTERS:
                raise ValueError(text)
            number = convert(text)
        except ValueError:
            refuse(text, type_name)
        return read(number)

    return read_text


def _text_boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        refuse(text, "boolean")
    return text == "true"


_TEXTS: Final[dict[str, Callable[[str], Any]]] = {
    **{name: _text_number(name) for name in ("integer", "long", "double", "float")},
    "boolean": _text_boolean,
    "blob": SCALARS["blob"],
    "timestamp": SCALARS["timestamp"],
}
