"""Where Ruby is, and what it says of itself."""

from pathlib import Path
from typing import Final

from lampion.code.languages.language import Answer, Language

_QUESTION: Final = (
    "print [RUBY_ENGINE, RUBY_VERSION, RbConfig::CONFIG['prefix'], RbConfig.ruby, RbConfig::CONFIG['LIBRUBY_RELATIVE']]"
    ".join(10.chr)"
)


def _read(answer: bytes, version: str) -> Answer | None:
    """Most builds have the place of their libraries compiled in; some look for them beside their program."""
    engine, told, prefix, program, is_relative = answer.decode().split("\n")
    if engine != "ruby":
        return None
    return Answer(told, Path(prefix), str(Path(program).relative_to(prefix)), movable=is_relative == "yes")


RUBY: Final = Language(
    title="Ruby",
    names=("ruby{}", "ruby"),
    kept=(
        (".rbenv/versions", "{}.*/bin/ruby"),
        (".rvm/rubies", "ruby-{}.*/bin/ruby"),
        ("/usr/local/rvm/rubies", "ruby-{}.*/bin/ruby"),
        ("/usr/share/rvm/rubies", "ruby-{}.*/bin/ruby"),
        (".rubies", "ruby-{}.*/bin/ruby"),
        ("/opt/rubies", "ruby-{}.*/bin/ruby"),
        (".asdf/installs/ruby", "{}.*/bin/ruby"),
        (".local/share/mise/installs/ruby", "{}.*/bin/ruby"),
    ),
    question=("--disable-gems", "-rrbconfig", "-e", _QUESTION),
    read=_read,
    install="`rbenv install {}` or `mise install ruby@{}`",
    least="3.1",
)
