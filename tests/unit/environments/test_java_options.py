"""Java's command line: AWS's, and what a function's own options leave of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from lampion.code.interpreters import Interpreter
from lampion.environments.java_options import heap_kib, java_options, names_archive
from lampion.environments.runtime_programs import PROGRAMS

JAVA = Interpreter("java17", "17.0.15", Path("/x/bin/java"), Path("/x"), "/var/lang/bin/java", ())
RUN = ("-cp", "/var/runtime/lib/lampion-java-runtime.jar", "lampion.runtime.Bootstrap", "/opt")
MEMORY = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}
FIRST_LEVEL = ("-XX:+TieredCompilation", "-XX:TieredStopAtLevel=1")


@pytest.mark.parametrize(("memory_mib", "heap"), [(512, 445645), (1536, 1336935), (3008, 2834432), (10240, 10240000)])
def test_the_heap_is_what_aws_leaves_of_the_memory(memory_mib: int, heap: int) -> None:
    assert heap_kib(memory_mib) == heap


def test_java_17_stops_at_the_first_level_of_compilation() -> None:
    assert java_options("17.0.15", MEMORY) == (
        "-XX:MaxHeapSize=445645k",
        "-XX:+UseSerialGC",
        *FIRST_LEVEL,
        "--add-opens=java.base/java.io=ALL-UNNAMED",
        "-Djava.net.preferIPv4Stack=true",
        "-XX:+ErrorFileToStderr",
    )


def test_java_8_has_neither_modules_nor_levels_of_its_own() -> None:
    assert java_options("8.0.392", MEMORY) == (
        "-XX:MaxHeapSize=445645k",
        "-XX:+UseSerialGC",
        "-Djava.net.preferIPv4Stack=true",
    )


@pytest.mark.parametrize(
    ("version", "initialization", "has_level"),
    [
        ("11.0.2", "on-demand", False),
        ("16.0.2", "on-demand", False),
        ("17", "on-demand", True),
        ("21.0.1", "provisioned-concurrency", True),
        ("24.0.1", "snap-start", True),
        ("25", "on-demand", True),
        ("25", "provisioned-concurrency", False),
        ("25", "snap-start", False),
    ],
)
def test_from_25_on_what_starts_ahead_compiles_as_well_as_it_can(
    version: str, initialization: str, has_level: bool
) -> None:
    options = java_options(version, {"AWS_LAMBDA_INITIALIZATION_TYPE": initialization})
    assert (FIRST_LEVEL[1] in options) == has_level


@pytest.mark.parametrize(
    ("version", "has_modules", "has_stream"),
    [("8.0.392", False, False), ("9", True, False), ("16.0.2", True, False), ("17", True, True)],
)
def test_options_that_a_version_does_not_know_are_left_out(version: str, has_modules: bool, has_stream: bool) -> None:
    """It would refuse to start: also one that only stands in for another has its own."""
    options = java_options(version, {})
    assert ("--add-opens=java.base/java.io=ALL-UNNAMED" in options) == has_modules
    assert ("-XX:+ErrorFileToStderr" in options) == has_stream


@pytest.mark.parametrize(
    ("own", "gone"),
    [
        ("-Xmx300m", "MaxHeapSize"),
        ("-XX:MaxRAMPercentage=50 -Dx=y", "MaxHeapSize"),
        ("-XX:+UseG1GC", "UseSerialGC"),
        ("-XX:-UseSerialGC", "UseSerialGC"),
        ("-Da=b -XX:TieredStopAtLevel=4", "TieredStopAtLevel"),
        ("-Xint", "TieredCompilation"),
    ],
)
def test_what_a_function_decides_itself_is_left_out(own: str, gone: str) -> None:
    """The command line would have the last word, and two collectors are an error."""
    assert gone in " ".join(java_options("17.0.15", MEMORY))
    assert gone not in " ".join(java_options("17.0.15", {**MEMORY, "JAVA_TOOL_OPTIONS": own}))


def test_options_of_other_names_change_nothing() -> None:
    own = {**MEMORY, "JAVA_TOOL_OPTIONS": "-javaagent:x.jar -XX:+UseStringDeduplication"}
    assert java_options("17.0.15", own) == java_options("17.0.15", MEMORY)


def test_an_archive_of_classes_is_used_where_java_makes_one() -> None:
    argv = PROGRAMS["java"].argv
    assert argv(JAVA, {})[:2] == ("/var/lang/bin/java", "@/var/runtime/lib/options")
    assert argv(JAVA, {})[-4:] == RUN
    assert argv(JAVA, {})[-5] == "-Djava.security.properties=/var/runtime/lib/security.properties"
    mine = {"JAVA_TOOL_OPTIONS": "-Djava.security.properties=/var/task/mine"}
    assert "/var/runtime/lib/security" not in " ".join(argv(JAVA, mine))
    older = replace(JAVA, runtime="java11", version="11.0.2")
    assert argv(older, {})[:2] == ("/var/lang/bin/java", "-XX:+UseSerialGC")
    for own in ("-Xshare:off", "-XX:SharedArchiveFile=/var/task/a.jsa", "-XX:AOTCache=/var/task/a.aot"):
        assert names_archive({"JAVA_TOOL_OPTIONS": f"-Da=b {own}"})
        assert "@/var/runtime/lib/options" not in argv(JAVA, {"JAVA_TOOL_OPTIONS": own})


def test_a_wrapper_gets_the_whole_command() -> None:
    argv = PROGRAMS["java"].argv
    wrapped = argv(JAVA, {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"})
    assert wrapped == ("/bin/sh", "/var/runtime/wrapped.sh", *argv(JAVA, {}))


def test_the_environment_has_no_traces_of_a_shell() -> None:
    complete = PROGRAMS["java"].completed
    assert complete is not None
    assert complete(JAVA, {"PWD": "/var/task", "SHLVL": "0", "A": "b"}) == {"A": "b"}


def test_without_a_file_system_of_its_own_a_process_gets_no_option_that_names_a_file_there() -> None:
    program = PROGRAMS["java"]
    named = {word for word in program.argv(JAVA, {}) if "/var/runtime" in word and not word.startswith("/")}
    assert named == set(program.needs_file_system)
