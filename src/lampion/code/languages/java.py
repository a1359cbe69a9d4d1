"""Where Java is, and what it says of itself."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lampion.code.languages.language import Answer, Language

RUNTIME_JAR: Final = "lib/lampion-java-runtime.jar"
"""The runtime's classes, below its directory."""

_JAR: Final = Path(__file__).parents[2] / "runtimes" / "java" / RUNTIME_JAR
_OFTEN_LINKS: Final = (
    "lib/jvm.cfg",
    "lib/security/cacerts",
    "lib/security/java.security",
    "conf/net.properties",
    "conf/security/java.security",
)
_CONFIGURATION: Final = Path("/etc")


def _read(answer: bytes, version: str) -> Answer | None:
    """Java 8 calls itself 1.8. Of its parts, only those with a number matter: 8.0.392, 17.0.15, 25."""
    told = json.loads(answer)
    home = Path(told["home"])
    number = str(told["version"]).removeprefix("1.").partition("-")[0].replace("_", ".").replace("+", ".")
    return Answer(number, home, "bin/java", also=tuple(sorted(set(_links_from(home)))))


def _links_from(home: Path) -> Iterator[Path]:
    """Distributions keep a Java's configuration in a directory of their own below /etc, and link to it."""
    for name in _OFTEN_LINKS:
        link = home / name
        if link.is_symlink():
            target = link.parent.joinpath(link.readlink())
            if target.is_relative_to(_CONFIGURATION) and "java" in target.parts[2]:
                yield _CONFIGURATION / target.parts[2]
            elif target.is_relative_to(_CONFIGURATION / "pki" / "java"):
                yield _CONFIGURATION / "pki" / "java"


JAVA: Final = Language(
    title="Java",
    names=("java",),
    kept=(
        ("/usr/lib/jvm", "*/bin/java"),
        ("/usr/lib/jvm", "*/jre/bin/java"),
        ("/usr/java", "*/bin/java"),
        ("/opt/java", "*/bin/java"),
        ("/opt", "*/bin/java"),
        (".sdkman/candidates/java", "*/bin/java"),
        (".jenv/versions", "*/bin/java"),
        (".asdf/installs/java", "*/bin/java"),
        (".local/share/mise/installs/java", "*/bin/java"),
        (".jabba/jdk", "*/bin/java"),
        (".jdks", "*/bin/java"),
        (".gradle/jdks", "*/bin/java"),
    ),
    question=("-cp", str(_JAR), "lampion.runtime.About"),
    read=_read,
    install="`apt-get install openjdk-{}-jre-headless` or `sdk install java`",
    least="8",
)
