"""What class libraries print and log: records with a level, on the telemetry descriptor and without one."""

import json
import re
from typing import Any

from tests.component.dotnet_runtime.dotnet_process import answer, run_dotnet
from tests.component.python_runtime.fake_runtime_api import REQUEST_ID, Event
from tests.component.python_runtime.runtime_process import Ran
from tests.dotnet_functions import needs_dotnet

pytestmark = needs_dotnet

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TEXT = [
    "TIME\tID\tinfo\tprinted\nin two lines é\n",
    "TIME\tID\tinfo\t7\n",
    "TIME\tID\tinfo\t1 of 2\n",
    "TIME\tID\tinfo\tlater\n",
    "TIME\tID\tfail\tto the error stream\n",
    "no line",
    "plain",
    "TIME\tID\tinfo\tline\n",
    "TIME\tID\twarn\tseen\n",
    "TIME\tID\tCustom\tof a level of its own\n",
    "TIME\tID\twithout a level\n",
    "TIME\tID\tinfo\tAda bought 003 of { Name = pen, Price =  } on TIME {none} {{x}}\n",
    "TIME\tID\tinfo\t01FF and zero\n",
    "TIME\tID\tcrit\tlist {list} map {map}\n",
    "TIME\tID\tfail\tfailed 2\nSystem.InvalidOperationException: logged\n",
    "TIME\tID\tfail\tSystem.Exception: alone\n",
]


def shown(ran: Ran) -> list[str]:
    """The records, without what differs from run to run."""
    assert answer(ran) is None
    return [TIME.sub("TIME", frame.text).replace(REQUEST_ID, "ID") for frame in ran.frames]


def test_text() -> None:
    assert shown(run_dotnet("Logging.Handle", telemetry=True)) == TEXT


def test_without_the_descriptor_it_is_standard_output() -> None:
    ran = run_dotnet("Logging.Handle")
    assert TIME.sub("TIME", ran.stdout).replace(REQUEST_ID, "ID") == "".join(TEXT)
    assert ran.stderr == ""


def test_lines_as_they_are_where_the_function_wants_it() -> None:
    variables = {"AWS_LAMBDA_HANDLER_LOG_FORMAT": "Unformatted", "AWS_LAMBDA_HANDLER_LOG_LEVEL": "Debug"}
    lines = shown(run_dotnet("Logging.Handle", telemetry=True, variables=variables))
    assert lines[:3] == ["printed\nin two lines é\n", "7\n", "1 of 2\n"]
    assert "unseen\n" in lines


def records(level: str, handler: str = "Logging.Handle", *events: Event) -> list[Any]:
    variables = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": level}
    ran = run_dotnet(handler, *events, telemetry=True, variables=variables)
    return [json.loads(frame.text) for frame in ran.frames if frame.text not in ("no line", "plain")]


def test_json() -> None:
    found = records("DEBUG", "Logging.Handle", Event(headers={"Lambda-Runtime-Aws-Tenant-Id": "blue"}))
    assert TIME.fullmatch(found[0].pop("timestamp"))
    assert found[0].pop("traceId").startswith("Root=1-5bef4de7")
    printed = {
        "level": "Information",
        "requestId": REQUEST_ID,
        "tenantId": "blue",
        "message": "printed\nin two lines é",
    }
    assert found[0] == printed
    levels = [one["level"] for one in found]
    assert levels[4:8] == ["Error", "Information", "Debug", "Warning"]
    by_message = {one["message"]: one for one in found}
    bought = by_message["Ada bought 003 of { Name = pen, Price =  } on 1970-01-01T00:00:00.000Z {none} {{x}}"]
    arguments = {name: bought.get(name) for name in ("user", "count", "product", "day", "none")}
    assert arguments == {
        "user": "Ada",
        "count": "003",
        "product": {"Name": "pen"},
        "day": "1970-01-01T00:00:00.000Z",
        "none": None,
    }
    assert {"0": "zero", "1": "01FF"}.items() <= by_message["01FF and zero"].items()
    lists = by_message["list {list} map {map}"]
    assert (lists["list"], lists["map"], lists["level"]) == ([1.5, 2], {"a": True}, "Critical")
    failed = by_message["failed 2"]
    assert (failed["errorType"], failed["errorMessage"]) == ("System.InvalidOperationException", "logged")
    assert failed["stackTrace"] == ["System.InvalidOperationException: logged"]
    assert failed["times"] == 2


def test_levels() -> None:
    """Those that Lambda sets; what has no level, or one of its own, is never held back."""
    assert [one["level"] for one in records("WARN")] == [
        "Error",
        "Warning",
        *["Information"] * 2,
        "Critical",
        "Error",
        "Error",
    ]
    assert [one["level"] for one in records("FATAL")] == ["Information", "Information", "Critical"]


def test_an_error_of_the_handler_is_a_record() -> None:
    *_, found = records("INFO", "Failing.Now", Event(b'"luck"'))
    assert (found["level"], found["errorType"], found["message"]) == ("Error", "Fn.BrokenException", "")
    assert found["errorMessage"] == 'no "luck"\nat all'
