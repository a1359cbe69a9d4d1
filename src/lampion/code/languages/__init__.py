"""The languages that functions can be written in: one file each, telling how its interpreters are found."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lampion.code.languages.dotnet import DOTNET
from lampion.code.languages.language import Language
from lampion.code.languages.nodejs import NODEJS
from lampion.code.languages.python import PYTHON
from lampion.code.languages.ruby import RUBY

LANGUAGES: Final[Mapping[str, Language]] = MappingProxyType(
    {"python": PYTHON, "nodejs": NODEJS, "dotnet": DOTNET, "ruby": RUBY}
)
"""By the name that the runtime catalogue gives them."""

WITHOUT_INTERPRETER: Final = frozenset({"provided", "go"})
"""Languages of the catalogue whose functions bring a program of their own."""
