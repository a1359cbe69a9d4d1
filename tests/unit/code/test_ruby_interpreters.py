"""Which Ruby serves a runtime, and where a sandbox must mount it."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lampion.code.interpreter_places import SearchPlaces, candidates
from lampion.code.interpreters import Interpreter, Interpreters
from lampion.code.runtimes import catalogue

HEAD = Path(sys.executable).read_bytes()[:64]
"""Of a program for this machine."""

INSTALLED = Path("/srv/rubies/3.4.1")


class Rubies:
    """Programs, and what each of them says of itself."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.answers: dict[str, bytes] = {}

    @property
    def places(self) -> SearchPlaces:
        root = self.root
        return SearchPlaces({}, (root / "path1", root / "path2"), root / "home", (root / "usr/bin",))

    def add(
        self, path: str, version: str = "", *, engine: str = "ruby", prefix: Path = INSTALLED, is_relative: bool = False
    ) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(HEAD)
        file.chmod(0o755)
        told = [engine, version, str(prefix), str(prefix / "bin/ruby"), "yes" if is_relative else "no"]
        self.answers[str(file)] = "\n".join(told).encode()
        return file

    async def run(self, argv: Sequence[str], *, timeout_seconds: float) -> bytes:
        assert argv[1] == "--disable-gems"
        return self.answers[argv[0]]

    async def found(self, runtime: str = "ruby3.4") -> Interpreter | None:
        base = (await Interpreters(self.places, self).discover()).get(runtime)
        assert base is None or isinstance(base, Interpreter)
        return base


@pytest.fixture
def rubies(tmp_path: Path) -> Rubies:
    return Rubies(tmp_path)


def test_ruby_is_looked_for_on_path_and_where_version_managers_keep_it(rubies: Rubies) -> None:
    names = [
        "path1/ruby3.4",
        "path2/ruby",
        "home/.rbenv/versions/3.4.10/bin/ruby",
        "home/.rbenv/versions/3.4.9/bin/ruby",
        "home/.rvm/rubies/ruby-3.4.1/bin/ruby",
        "home/.rubies/ruby-3.4.2/bin/ruby",
        "home/.asdf/installs/ruby/3.4.3/bin/ruby",
        "home/.local/share/mise/installs/ruby/3.4.4/bin/ruby",
        "usr/bin/ruby3.4",
    ]
    for name in [*names, "home/.rbenv/versions/3.3.1/bin/ruby"]:
        rubies.add(name)
    assert list(candidates(catalogue().runtimes["ruby3.4"], rubies.places)) == [rubies.root / name for name in names]


async def test_one_that_knows_its_place_is_mounted_there_as_well(rubies: Rubies) -> None:
    rubies.add("home/.rbenv/versions/3.4.1/bin/ruby", "3.4.1")
    found = await rubies.found()
    assert found is not None
    assert found.executable_inside == "/var/lang/bin/ruby"
    assert found.mounts == ((INSTALLED, "/var/lang"), (INSTALLED, str(INSTALLED)))


@pytest.mark.parametrize(("prefix", "is_relative"), [(INSTALLED, True), (Path("/usr/local"), False)])
async def test_one_that_can_be_moved_or_is_in_view_is_mounted_at_var_lang_alone(
    rubies: Rubies, prefix: Path, is_relative: bool
) -> None:
    rubies.add("path1/ruby", "3.4.1", prefix=prefix, is_relative=is_relative)
    found = await rubies.found()
    assert found is not None
    assert found.mounts == ((prefix, "/var/lang"),)


async def test_the_systems_runs_where_it_is(rubies: Rubies) -> None:
    rubies.add("usr/bin/ruby3.4", "3.4.1", prefix=Path("/usr"))
    found = await rubies.found()
    assert found is not None
    assert (found.executable_inside, found.mounts) == ("/usr/bin/ruby", ())


@pytest.mark.parametrize("place", ["/opt/rubies/ruby-3.4.1", "/tmp/ruby"])
@pytest.mark.parametrize("is_relative", [False, True])
async def test_one_whose_place_functions_have_for_themselves_must_be_movable(
    rubies: Rubies, place: str, is_relative: bool
) -> None:
    rubies.add("path1/ruby", "3.4.1", prefix=Path(place), is_relative=is_relative)
    assert (await rubies.found() is not None) is is_relative


async def test_other_rubies_are_passed_over(rubies: Rubies) -> None:
    rubies.add("path1/ruby", "3.4.2", engine="truffleruby")
    rubies.add("path2/ruby", "3.3.8")
    assert await rubies.found("ruby3.4") is None
    assert await rubies.found("ruby3.3") is not None
