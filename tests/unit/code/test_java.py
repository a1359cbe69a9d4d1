"""Which Java serves a runtime, what its sandbox must mount, and the jar that ships."""

import importlib.machinery
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from zipfile import ZIP_STORED, ZipFile

import pytest

from lampion.code.class_archive import ARCHIVE, add_archive, can_archive_classes
from lampion.code.interpreter_places import SearchPlaces, candidates, search_places
from lampion.code.interpreters import Interpreter, Interpreters, RuntimeUnavailable
from lampion.code.languages.java import JAVA
from lampion.code.runtimes import catalogue
from tests.unit.code.test_interpreters import ELF

SCRIPTS = Path(__file__).parents[3] / "scripts"


class Javas:
    """Programs that tell what Java they are."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.versions: dict[str, str] = {}

    def add(self, home: str, version: str) -> Path:
        program = self.root / home / "bin/java"
        program.parent.mkdir(parents=True)
        program.write_bytes(ELF)
        program.chmod(0o755)
        self.versions[str(program)] = version
        return program.parent.parent

    async def run(self, argv: Sequence[str], *, timeout_seconds: float) -> bytes:
        if argv[0] not in self.versions:
            raise OSError("not one of ours")
        home = str(Path(argv[0]).parent.parent)
        return json.dumps({"version": self.versions[argv[0]], "home": home, "machine": "OpenJDK"}).encode()

    def interpreters(self) -> Interpreters:
        return Interpreters(SearchPlaces({}, (self.root / "path/bin",), self.root / "home", ()), self)


@pytest.fixture
def javas(tmp_path: Path) -> Javas:
    return Javas(tmp_path)


@pytest.mark.parametrize(
    ("told", "runtime", "version"),
    [
        ("1.8.0_392", "java8", "8.0.392"),
        ("1.8.0_392-b08", "java8.al2", "8.0.392"),
        ("11.0.2", "java11", "11.0.2"),
        ("17.0.15", "java17", "17.0.15"),
        ("17.0.15+6", "java17.al2023", "17.0.15.6"),
        ("25", "java25", "25"),
        ("21-ea", "java21", "21"),
    ],
)
async def test_versions_in_all_their_spellings(javas: Javas, told: str, runtime: str, version: str) -> None:
    javas.add("path", told)
    assert (await javas.interpreters().find(runtime)).version == version


@pytest.mark.parametrize(
    "place",
    [
        ".sdkman/candidates/java/21.0.1-tem",
        ".jenv/versions/21",
        ".asdf/installs/java/temurin-21.0.1",
        ".local/share/mise/installs/java/21",
        ".jabba/jdk/adopt@1.21",
        ".jdks/temurin-21",
        ".gradle/jdks/eclipse-21",
    ],
)
async def test_where_version_managers_keep_it(javas: Javas, place: str) -> None:
    javas.add("home/.sdkman/candidates/java/11.0.1-open", "11.0.1")
    home = javas.add(f"home/{place}", "21.0.1")
    found = await javas.interpreters().find("java21")
    assert isinstance(found, Interpreter)
    assert found.executable == home / "bin/java"
    assert found.executable_inside == "/var/lang/bin/java"
    assert found.mounts == ((home, "/var/lang"),)


def test_java_home_is_a_place(javas: Javas) -> None:
    one, other = javas.add("one", "17.0.1"), javas.add("other", "21.0.1")
    environ = {"PATH": "/nowhere", "JAVA_HOME": str(one), "JAVA_HOME_21_X64": str(other)}
    places = search_places({}, environ)
    found = candidates(catalogue().runtimes["java17"], SearchPlaces({}, places.path, None, ()))
    assert [one / "bin/java", other / "bin/java"] == [path for path in found if path.is_relative_to(javas.root)]


def test_a_configuration_below_etc_is_mounted_too(javas: Javas) -> None:
    """As Debian has it; certificates and the like, which every sandbox sees, aren't."""
    home = javas.add("jvm", "17.0.1")
    for link, target in (
        ("lib/jvm.cfg", "/etc/java-17-openjdk/jvm-amd64.cfg"),
        ("conf/security/java.security", "/etc/java-17-openjdk/security/java.security"),
        ("lib/security/cacerts", "/etc/ssl/certs/java/cacerts"),
        ("conf/net.properties", "../elsewhere/net.properties"),
    ):
        (home / link).parent.mkdir(parents=True, exist_ok=True)
        (home / link).symlink_to(target)
    answer = JAVA.read(json.dumps({"version": "17.0.1", "home": str(home)}).encode(), "17")
    assert answer is not None
    assert answer.also == (Path("/etc/java-17-openjdk"),)


@pytest.mark.parametrize(
    "link",
    [
        "lib/jvm.cfg",
        "lib/security/cacerts",
        "lib/security/java.security",
        "conf/net.properties",
        "conf/security/java.security",
    ],
)
def test_each_link_tells_where_the_configuration_is(link: str, javas: Javas) -> None:
    home = javas.add("jvm", "17.0.1")
    (home / link).parent.mkdir(parents=True, exist_ok=True)
    (home / link).symlink_to("/etc/java-17-openjdk/x")
    answer = JAVA.read(json.dumps({"version": "17.0.1", "home": str(home)}).encode(), "17")
    assert answer is not None
    assert answer.also == (Path("/etc/java-17-openjdk"),)


async def test_java_8_may_stand_in_for_a_newer_one(javas: Javas) -> None:
    """The runtime is compiled for it; code for a newer Java tells itself that it is too new."""
    javas.add("path", "1.8.0_392")
    places = SearchPlaces({}, (javas.root / "path/bin",), None, ())
    assert (await Interpreters(places, javas, takes_close=True).find("java11")).version == "8.0.392"


async def test_one_that_is_missing_is_told_with_its_package(javas: Javas) -> None:
    with pytest.raises(RuntimeUnavailable, match=r"No interpreter for java11 .*openjdk-11-jre-headless"):
        await javas.interpreters().find("java11")


def java(version: str, runtime: str = "java17") -> Interpreter:
    return Interpreter(runtime, version, Path("/x/bin/java"), Path("/x"), "/var/lang/bin/java", ())


@pytest.mark.parametrize(("version", "can"), [("8.0.392", False), ("12.0.2", False), ("13", True), ("25", True)])
def test_which_versions_archive_classes(version: str, can: bool) -> None:
    assert can_archive_classes(java(version)) == can
    assert not can_archive_classes(java("17.0.1", runtime="python3.12"))


class Archiver:
    def __init__(self, archive: bytes | OSError) -> None:
        self.archive = archive

    async def archive_classes(self, tree: Path, interpreter: Interpreter, *, output: int) -> None:
        if isinstance(self.archive, OSError):
            raise self.archive
        with open(output, "wb", closefd=False) as file:
            file.write(self.archive)


@pytest.mark.parametrize(
    ("archive", "is_done", "is_named"), [(b"classes", True, True), (b"", True, False), (OSError("no"), False, False)]
)
async def test_an_archive_is_named_only_where_it_is(
    tmp_path: Path, archive: bytes | OSError, is_done: bool, is_named: bool
) -> None:
    (tmp_path / "lib").mkdir()
    options = tmp_path / "lib/options"
    options.write_text("# none\n")
    assert await add_archive(tmp_path, java("17.0.1"), Archiver(archive), root="/var/runtime") == is_done
    assert (tmp_path / ARCHIVE).exists() == is_named
    assert ("-XX:SharedArchiveFile=/var/runtime/lib/runtime.jsa" in options.read_text()) == is_named


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    path = str(SCRIPTS / "build-java-runtime")
    spec = importlib.util.spec_from_loader("build", importlib.machinery.SourceFileLoader("build", path))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_jar_is_of_these_sources(builder: ModuleType) -> None:
    """Needs no compiler: the jar says what it was made from. Mend with scripts/build-java-runtime."""
    with ZipFile(builder.JAR) as jar:
        assert jar.read(builder.DIGEST).decode().strip() == builder.digest_of_sources()
        assert {entry.compress_type for entry in jar.infolist()} == {ZIP_STORED}
        classes = {name for name in jar.namelist() if name.endswith(".class")}
        assert {jar.read(name)[4:8] for name in classes} == {b"\x00\x00\x00\x34"}, "Java 8"
    tops = {path.relative_to(builder.SOURCE).with_suffix(".class").as_posix() for path in builder.sources()}
    assert tops == {name for name in classes if "$" not in name}


def test_the_jar_is_what_its_sources_make(builder: ModuleType) -> None:
    if builder.compiler_version() != builder.COMPILER:
        pytest.skip(f"needs javac {builder.COMPILER}")
    assert builder.build() == builder.JAR.read_bytes()
