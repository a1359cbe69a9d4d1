"""What the doctor says of functions on deprecated runtimes."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from lampion.cli import doctor_runtimes
from lampion.cli.doctor_runtimes import runtime_findings, sdk_findings, system_findings
from lampion.cli.runtime_rows import FoundRuntime
from lampion.sandbox.driver import Finding
from lampion.store.errors import StoreError


def found(monkeypatch: pytest.MonkeyPatch, used: Mapping[str, tuple[str, ...]], today: date) -> list[Finding]:
    monkeypatch.setattr(doctor_runtimes, "functions_by_runtime", lambda database: used)
    return list(runtime_findings(Path("data"), today=today))


def test_a_deprecated_runtime_is_named_with_its_dates_functions_and_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, {"python3.9": ("hello", "world")}, date(2026, 11, 26)) == [
        Finding(
            "runtime-python3.9",
            "python3.9 is deprecated since 2025-12-15; new functions are refused from 2027-02-01, "
            "updates from 2027-03-03; used by hello, world",
            "aws lambda update-function-configuration --function-name hello --runtime python3.14",
        )
    ]


@pytest.mark.parametrize(("today", "days"), [(date(2026, 12, 31), 120), (date(2027, 3, 1), 60)])
def test_a_deprecation_is_told_ahead(monkeypatch: pytest.MonkeyPatch, today: date, days: int) -> None:
    (finding,) = found(monkeypatch, {"nodejs22.x": ("hello",), "nodejs24.x": ("new",)}, today)
    assert finding.effect.startswith(f"nodejs22.x will be deprecated within {days} days, on 2027-04-30; ")


def test_of_many_functions_some_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = found(monkeypatch, {"go1.x": tuple("abcdefg")}, date(2026, 11, 26))
    assert finding.effect.endswith("; used by a, b, c, d, e and 2 more")
    assert finding.mend == "move these functions to another runtime"


def test_nothing_is_said_of_what_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, {"python3.14": ("hello",), "nodejs26.x": ("new",)}, date(2026, 11, 26)) == []


def test_a_database_that_cannot_be_read_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(database: Path) -> Mapping[str, tuple[str, ...]]:
        raise StoreError(f"{database} can't be read.")

    monkeypatch.setattr(doctor_runtimes, "functions_by_runtime", fail)
    (finding,) = runtime_findings(Path("data"), today=date(2026, 11, 26))
    assert (finding.name, "data/lampion.db can't be read" in finding.effect) == ("functions", True)


def test_what_custom_runtimes_miss_is_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path: None if name in ("curl", "cut") else name)
    monkeypatch.setattr(doctor_runtimes, "_CERTIFICATES", ("/no/such/file",))
    assert list(system_findings()) == [
        Finding(
            "custom-runtimes",
            "functions of the runtimes provided.* find no cut, no curl, no certificates to trust, "
            "which they have on AWS",
            "apt-get install coreutils curl ca-certificates",
        )
    ]


def test_a_system_that_has_all_is_no_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "certificates").touch()
    monkeypatch.setattr("shutil.which", lambda name, path: name)
    monkeypatch.setattr(doctor_runtimes, "_CERTIFICATES", ("/no/such/file", str(tmp_path / "certificates")))
    assert list(system_findings()) == []


def test_runtimes_without_the_sdk_that_aws_has_there_are_named_by_language() -> None:
    found = {
        "python3.12": FoundRuntime("3.12.1", "/usr/bin/python3.12", sdk="boto3 1.2.3"),
        "python3.13": FoundRuntime("3.13.1", "/usr/bin/python3.13"),
        "nodejs22.x": FoundRuntime("22.1.0", "/usr/bin/node", sdk="AWS SDK for JavaScript 3.4.5"),
    }
    assert list(sdk_findings(found)) == [
        Finding(
            "sdk-python",
            "functions of python3.13 have to bring boto3, which is there on AWS",
            "lampion sdk install python",
        )
    ]
