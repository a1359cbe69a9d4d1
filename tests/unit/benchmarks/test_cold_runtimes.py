"""Which runtimes are measured, and beside which of AWS's published figures."""

import pytest

from benchmarks.systems.lampion_runtimes import measured
from benchmarks.workloads.cold_runtimes import AWS_INIT_P50_MS, published


def told(identifier: str, language: str, service: str, version: str = "1.2.3") -> dict[str, object]:
    found = None if service == "not-found" else {"version": version, "executable": "/bin/x"}
    return {"identifier": identifier, "language": language, "service": service, "found": found}


def test_runtimes_of_their_own_version_and_one_of_each_other_language():
    rows = measured(
        [
            told("python3.14", "python", "close-version"),
            told("python3.13", "python", "own-version"),
            told("python3.12", "python", "own-version"),
            told("ruby4.0", "ruby", "close-version", "3.1.2"),
            told("ruby3.4", "ruby", "close-version", "3.1.2"),
            told("java21", "java", "not-found"),
            told("provided.al2023", "provided", "no-interpreter-needed"),
            told("provided.al2", "provided", "no-interpreter-needed"),
            told("dotnet10", "dotnet", "close-version", "3.1.2"),
            told("dotnet8", "dotnet", "close-version", "3.1.2"),
            told("go1.x", "go", "no-interpreter-needed"),
        ]
    )
    assert [(row, one["identifier"]) for row, one in rows.items()] == [
        ("python3.12", "python3.12"),
        ("python3.13", "python3.13"),
        ("ruby4.0 on 3.1.2", "ruby4.0"),
        ("provided.al2023", "provided.al2023"),
        ("dotnet10 on 3.1.2", "dotnet10"),
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("python3.13", AWS_INIT_P50_MS["python3.13"]),
        ("python3.12", None),
        ("ruby4.0 on 3.1.2", AWS_INIT_P50_MS["ruby3.4"]),
        ("dotnet10 on 3.1.2", AWS_INIT_P50_MS["dotnet8"]),
        ("java17", None),
    ],
)
def test_what_is_published_of_a_runtime_stands_beside_it_alone(row, expected):
    assert published(row) == expected
