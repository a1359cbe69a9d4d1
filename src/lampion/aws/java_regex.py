"""The model's patterns are Java's; here they become Python ones that take and refuse the same texts."""

import re
from functools import cache
from typing import Final

_ASCII_SPACE: Final = " \\t\\n\\x0b\\f\\r"
_ASCII_CLASSES: Final = {"d": "0-9", "s": _ASCII_SPACE, "w": "a-zA-Z0-9_"}
_SEPARATORS: Final = " \\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
_LINE_ENDS: Final = "\\n\\r\\x85\\u2028\\u2029"
_ANY: Final = "[\\x00-\\U0010ffff]"
_TOKEN: Final = re.compile(r"\\(?:[pP]\{(\w+)\}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|(.))|(.)", re.DOTALL)


@cache
def compile_java(pattern: str) -> re.Pattern[str]:
    """The Python pattern to use with `fullmatch`. Raises ValueError for Java syntax that has no translation here."""
    return re.compile(translate(pattern))


def translate(pattern: str) -> str:
    r"""Rewrite what differs: \d \s \w are ASCII in Java, "." stops at five line ends, \p{..} is unknown to `re`."""
    return _ANY.join(map(_translate_piece, pattern.split("[\\s\\S]")))


def _translate_piece(pattern: str) -> str:
    parts: list[str] = []
    in_class = False
    class_start = 0
    for token in _TOKEN.finditer(pattern):
        text, property_name, escaped, plain = token[0], token[1], token[2], token[3]
        if property_name is not None:
            parts.append(_property(text, property_name, in_class))
        elif escaped is not None and escaped in _ASCII_CLASSES:
            ascii_class = _ASCII_CLASSES[escaped]
            parts.append(ascii_class if in_class else f"[{ascii_class}]")
        elif escaped is not None and escaped.isalnum() and escaped not in "nrtf":
            raise ValueError(f"no translation for {text!r} in {pattern!r}")
        elif plain == "." and not in_class:
            parts.append(f"[^{_LINE_ENDS}]")
        elif plain == "[" and not in_class:
            in_class, class_start = True, len(parts)
            parts.append(text)
        elif plain == "[" or (in_class and pattern.startswith("&&", token.start())):
            raise ValueError(f"nested character classes are not translated: {pattern!r}")
        elif plain == "]" and in_class:
            parts[class_start:] = [_closed("".join(parts[class_start:]), pattern)]
            in_class = False
        else:
            parts.append(text)
    return "".join(parts)


def _property(text: str, name: str, in_class: bool) -> str:
    if not in_class or text[1] == "P":
        raise ValueError(f"{text} is translated only inside a character class, and not negated")
    if name in {"L", "N"}:
        return f"\\p{name}"
    if name == "Z":
        return _SEPARATORS
    raise ValueError(f"no translation for {text}")


def _closed(opened: str, pattern: str) -> str:
    r"""A whole class. Python's \w is exactly letters, numbers and "_", so it is \p{L}\p{N} where "_" is in too."""
    letters, numbers = "\\pL" in opened, "\\pN" in opened
    if letters or numbers:
        if not (letters and numbers and "_" in opened) or opened.startswith("[^"):
            raise ValueError(f"letters, numbers and '_' are translated only together: {pattern!r}")
        opened = opened.replace("\\pL", "\\w").replace("\\pN", "")
    return opened + "]"
