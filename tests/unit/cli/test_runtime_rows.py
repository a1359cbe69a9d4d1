"""What `lampion runtimes` says of every runtime."""

import json
from datetime import date
from pathlib import Path

import pytest

from lampion.cli.main import run
from lampion.cli.runtime_rows import RuntimeRow, Service, as_json, as_text, runtime_rows
from lampion.code.interpreters import Interpreter, OperatingSystem, RuntimeBase
from lampion.code.runtimes import catalogue

TODAY = date(2026, 11, 26)
BASES: dict[str, RuntimeBase] = {
    "python3.12": Interpreter("python3.12", "3.12.1", Path("/p/bin/python3.12"), Path("/p"), "/var/lang/bin/x", ()),
    "python3.14": Interpreter("python3.14", "3.15.0", Path("/p/bin/python3.15"), Path("/p"), "/var/lang/bin/x", ()),
    "nodejs20.x": Interpreter("nodejs20.x", "20.1.0", Path("/usr/bin/node"), Path("/usr"), "/usr/bin/node", ()),
    "provided.al2023": OperatingSystem("provided.al2023", "al2023.12", "Debian GNU/Linux 12"),
}


def row(identifier: str) -> RuntimeRow:
    (found,) = [one for one in runtime_rows(BASES, TODAY) if one.identifier == identifier]
    return found


def test_every_runtime_is_there_once_by_language_the_newest_first() -> None:
    names = [one.identifier for one in runtime_rows({}, TODAY)]
    assert sorted(names) == sorted(catalogue().runtimes)
    assert names[:3] == ["python3.15", "python3.14", "python3.13"]
    assert names.index("nodejs26.x") < names.index("nodejs24.x") < names.index("java25") < names.index("ruby4.0")
    assert names.index("dotnet10") < names.index("provided.al2023") < names.index("go1.x")


@pytest.mark.parametrize(
    ("identifier", "service", "line"),
    [
        ("python3.12", Service.OWN_VERSION, "python3.12      3.12.1      /p/bin/python3.12"),
        ("python3.14", Service.CLOSE_VERSION, "python3.14      3.15.0      /p/bin/python3.15 (close)"),
        (
            "python3.13",
            Service.NOT_FOUND,
            "python3.13      not found; install one with `uv python install 3.13` or `apt-get install python3.13`",
        ),
        (
            "nodejs20.x",
            Service.OWN_VERSION,
            "nodejs20.x      20.1.0      /usr/bin/node"
            "  [deprecated 2026-04-30; new until 2027-02-01, updates until 2027-03-03]",
        ),
        (
            "provided.al2023",
            Service.NO_INTERPRETER_NEEDED,
            "provided.al2023 the function's own program, on Debian GNU/Linux 12",
        ),
        (
            "python2.7",
            Service.NOT_BUILT,
            "python2.7       not run by Lampion"
            "  [deprecated 2021-07-15; new until 2021-07-15, updates until 2022-05-30]",
        ),
    ],
)
def test_a_line_says_what_runs_it_or_how_to_have_something_that_does(
    identifier: str, service: Service, line: str
) -> None:
    assert row(identifier).service is service
    assert as_text([row(identifier)]) == line


@pytest.mark.parametrize(("day", "is_deprecated"), [(date(2026, 4, 29), False), (date(2026, 4, 30), True)])
def test_a_runtime_is_deprecated_from_aws_day_on(day: date, is_deprecated: bool) -> None:
    (found,) = [one for one in runtime_rows(BASES, day) if one.identifier == "nodejs20.x"]
    assert found.is_deprecated == is_deprecated


def test_a_line_tells_of_the_sdk_that_functions_find() -> None:
    rows = runtime_rows(BASES, TODAY, {"nodejs20.x": "AWS SDK for JavaScript 3.1.0"})
    assert "/usr/bin/node  with AWS SDK for JavaScript 3.1.0" in as_text(rows)


def test_a_setting_that_names_no_interpreter_is_told() -> None:
    rows = runtime_rows(BASES, TODAY, explicit={"python3.13": Path("/nope"), "python3.12": Path("/p/bin/python3.12")})
    lines = as_text(rows).splitlines()
    said = "not found: /nope doesn't run, or is another version; correct the setting --interpreter"
    assert f"python3.13      {said}" in lines
    assert "python3.12      3.12.1      /p/bin/python3.12" in lines
    assert [row.setting for row in rows if row.setting] == ["/nope"]


def test_for_programs_all_of_it_is_one_document() -> None:
    told = {one["identifier"]: one for one in json.loads(as_json(runtime_rows(BASES, TODAY, {"nodejs20.x": "SDK 3"})))}
    assert len(told) == len(catalogue().runtimes)
    assert told["nodejs20.x"] == {
        "identifier": "nodejs20.x",
        "language": "nodejs",
        "service": "own-version",
        "found": {"version": "20.1.0", "executable": "/usr/bin/node", "is_close": False, "sdk": "SDK 3"},
        "install": "`nvm install 20` or `npm install --global node@20`",
        "setting": None,
        "is_deprecated": True,
        "deprecation": "2026-04-30",
        "block_create": "2027-02-01",
        "block_update": "2027-03-03",
    }


def test_a_wrong_setting_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LAMPION_CLOSE_RUNTIMES", "perhaps")
    assert run(["runtimes"]) == 2
    assert "LAMPION_CLOSE_RUNTIMES 'perhaps' is not known" in capsys.readouterr().err
