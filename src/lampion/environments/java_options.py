"""Java's command line as AWS's bootstrap makes it. Pure.

Sources: Lambda developer guide, page "Customize Java runtime startup behavior"; command lines that functions on AWS
have shown (445645k of heap at 512 MB). A function's own JAVA_TOOL_OPTIONS come first and would lose against the command
line, so what they decide is left out here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

_METASPACE_SHARE: Final = 0.10
_METASPACE_KIB_MAX: Final = 160 * 1024
_CODE_CACHE_SHARE: Final = 0.05
_CODE_CACHE_KIB_MAX: Final = 80 * 1024

_HEAP: Final = re.compile(r"-Xmx.*|-XX:(MaxHeapSize|MaxRAM|MaxRAMPercentage|MaxRAMFraction)=.*")
_COLLECTOR: Final = re.compile(r"-XX:[+-]Use\w*GC")
_COMPILATION: Final = re.compile(r"-XX:([+-]TieredCompilation|TieredStopAtLevel=.*)|-Xint|-Xcomp")
_ARCHIVE: Final = re.compile(r"-Xshare:|-XX:([+-]AutoCreateSharedArchive|SharedArchiveFile|AOT)")
_STOPS_AT_FIRST_LEVEL: Final = 17
_FULLY_COMPILED_AHEAD: Final = 25
_HAS_MODULES: Final = 9
_ERRORS_TO_STREAM: Final = 17


def java_options(version: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Options for a function with that environment, on a Java such as 17.0.15."""
    major = int(version.partition(".")[0])
    own = environ.get("JAVA_TOOL_OPTIONS", "").split()
    return (
        *_unless(_HEAP, own, _heap(environ)),
        *_unless(_COLLECTOR, own, ("-XX:+UseSerialGC",)),
        *_unless(_COMPILATION, own, _compilation(major, environ)),
        *(("--add-opens=java.base/java.io=ALL-UNNAMED",) if major >= _HAS_MODULES else ()),
        "-Djava.net.preferIPv4Stack=true",
        *(("-XX:+ErrorFileToStderr",) if major >= _ERRORS_TO_STREAM else ()),
    )


def names_archive(environ: Mapping[str, str]) -> bool:
    """Whether the function brings an archive of classes itself, or wants none."""
    return any(_ARCHIVE.match(word) for word in environ.get("JAVA_TOOL_OPTIONS", "").split())


def heap_kib(memory_mib: int) -> int:
    """What is left of the memory beside the room for classes and for compiled code."""
    whole = memory_mib * 1024
    classes = min(round(whole * _METASPACE_SHARE), _METASPACE_KIB_MAX)
    return whole - classes - min(round(whole * _CODE_CACHE_SHARE), _CODE_CACHE_KIB_MAX)


def _heap(environ: Mapping[str, str]) -> Iterator[str]:
    memory = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    if memory:
        yield f"-XX:MaxHeapSize={heap_kib(int(memory))}k"


def _compilation(major: int, environ: Mapping[str, str]) -> tuple[str, ...]:
    """From 25 on what starts ahead of its invocations compiles as well as it can."""
    is_ahead = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") != "on-demand"
    if major < _STOPS_AT_FIRST_LEVEL or (major >= _FULLY_COMPILED_AHEAD and is_ahead):
        return ()
    return ("-XX:+TieredCompilation", "-XX:TieredStopAtLevel=1")


def _unless(pattern: re.Pattern[str], own: list[str], options: Iterator[str] | tuple[str, ...]) -> tuple[str, ...]:
    return () if any(pattern.fullmatch(word) for word in own) else tuple(options)
