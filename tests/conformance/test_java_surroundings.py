"""What a Java function finds around it on a live server: log, classes, environment, options, SnapStart."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.conformance.recorded.handlers import package
from tests.conformance.test_java import create, deploy, invoke
from tests.deployment import Functions, functions, zipped
from tests.java_functions import classes_of, functions_of_tests, java_runtime
from tests.live_server import LiveServer

__all__ = ["deploy"]


def test_json_logs_with_a_level(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "Logging::handle", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"})
    _, log, _ = invoke(lambda_client, name)
    records = [json.loads(line) for line in log.splitlines()]
    own = [record for record in records if "level" in record]
    assert [record["level"] for record in own] == ["WARN", "ERROR"], "without a level it is an INFO"
    assert own[0]["message"] == "seen"
    assert own[1]["message"].startswith("failed: java.lang.IllegalStateException\n")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", own[0]["timestamp"])
    assert own[0]["AWSRequestId"]
    chatty = create(deploy, "Logging::handle", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO"})
    messages = [json.loads(line).get("message") for line in invoke(lambda_client, chatty)[1].splitlines()]
    assert {"unseen", "seen", "without a level"} <= set(messages)


def test_text_logs_with_a_level(lambda_client: Any, deploy: Functions) -> None:
    log = invoke(lambda_client, create(deploy, "Logging::handle"))[1]
    assert "\n[INFO] unseen\n[WARN] seen\nwithout a level\nfailed: java.lang.IllegalStateException\n" in log


def test_classes_and_resources_of_the_code_its_jars_and_layers(lambda_client: Any, deploy: Functions) -> None:
    """Of two jars in lib, the first by its name; then java/lib of the layers."""

    def jar(name: str, said: str) -> bytes:
        path, simple = name.replace(".", "/"), name.rpartition(".")[2]
        body = f'public String toString() {{ return "{said}"; }}'
        text = f"package {name.rpartition('.')[0]};\npublic class {simple} {{ {body} }}"
        return zipped(classes_of({f"{path}.java": text}))

    layered = zipped({"java/lib/more.jar": jar("more.More", "5"), "java/lib/words.jar": jar("words.Word", "third")})
    layer = lambda_client.publish_layer_version(LayerName="java-test-layer", Content={"ZipFile": layered})
    files = {"lib/b.jar": jar("words.Word", "second"), "lib/a.jar": jar("words.Word", "first"), "text.txt": b"t"}
    name = create(deploy, "Surroundings::found", files, Layers=[layer["LayerVersionArn"]])
    assert invoke(lambda_client, name)[0] == "first5t"


def test_the_environment_and_options(lambda_client: Any, deploy: Functions) -> None:
    variables = {"COLOUR": "blue", "TZ": "Asia/Tokyo", "JAVA_TOOL_OPTIONS": "-Dmine=yes -XX:+UseParallelGC"}
    name = create(deploy, "Surroundings::told", Environment={"Variables": variables}, MemorySize=512)
    told, _, error = invoke(lambda_client, name)
    assert error is None
    assert {key: told["env"][key] for key in variables} == variables
    assert told["env"]["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{java_runtime()}"
    assert "SHLVL" not in told["env"]
    assert (told["directory"], told["java"], told["own"]) == ("/var/task", "/var/lang", "yes")
    assert told["collector"].startswith("PS")
    assert 350 < told["heap"] <= 436
    assert (told["zone"], told["missing"]) == ("Asia/Tokyo", "1")
    assert told["trace"].startswith("Root=1-")


def test_it_starts_from_an_archive_of_the_runtimes_classes(lambda_client: Any, deploy: Functions) -> None:
    """`-Xshare:on` wouldn't start without; a function may bring one of its own instead."""
    name = create(deploy, "Surroundings::told", Environment={"Variables": {"JAVA_TOOL_OPTIONS": "-Xlog:class+load"}})
    told, log, _ = invoke(lambda_client, name)
    assert "-XX:SharedArchiveFile=/var/runtime/lib/runtime.jsa" in told["options"]
    loaded = re.findall(r"lampion\.runtime\.(\S+) source: (.*)", invoke(lambda_client, name)[1] + log)
    assert "json.ObjectWriter" in dict(loaded)
    assert not [one for one, source in loaded if "shared objects file" not in source]
    own = {"JAVA_TOOL_OPTIONS": "-Xshare:off", "AWS_LAMBDA_JAVA_NETWORKADDRESS_CACHE_NEGATIVE_TTL": "7"}
    told = invoke(lambda_client, create(deploy, "Surroundings::told", Environment={"Variables": own}))[0]
    assert "SharedArchiveFile" not in str(told["options"])
    assert told["missing"] == "7"


def test_a_wrapper(lambda_client: Any, deploy: Functions) -> None:
    wrapper = '#!/bin/sh\njava=$1\nshift\nBY=me exec "$java" -Dwrapped=yes "$@"\n'
    code = package({**functions_of_tests(), "wrap": wrapper}, executable={"wrap"})
    environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrap"}}
    name = create(deploy, "Surroundings::wrapped", Code={"ZipFile": code}, Environment=environment)
    assert invoke(lambda_client, name)[0] == "yesme"


def test_a_mapper_of_its_own(lambda_client: Any, deploy: Functions) -> None:
    service = "META-INF/services/com.amazonaws.services.lambda.runtime.CustomPojoSerializer"
    name = create(deploy, "OwnMapper::handle", {service: "fn.OwnMapper\n"})
    assert invoke(lambda_client, name, {})[0] == ["read by itself, written by itself"]
    two = create(deploy, "OwnMapper::handle", {service: "fn.OwnMapper\nfn.Boundary$SecondMapper\n"})
    message = invoke(lambda_client, two, {})[0]["errorMessage"]
    assert message == "Too many serializers provided inside the META-INF/services folder, only one is allowed"


def test_published_versions_with_snap_start_do_a_full_init(lambda_client: Any, deploy: Functions) -> None:
    """No snapshot can be taken of a Java process here: the version says so, and runs."""
    name = create(deploy, "Echo::five", SnapStart={"ApplyOn": "PublishedVersions"})
    version = lambda_client.publish_version(FunctionName=name)["Version"]
    lambda_client.get_waiter("published_version_active").wait(
        FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 0.1, "MaxAttempts": 200}
    )
    found = lambda_client.get_function_configuration(FunctionName=name, Qualifier=version)
    assert found["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    payload, log, _ = invoke(lambda_client, name, Qualifier=version)
    assert payload == 5
    assert "RESTORE" not in log


def test_a_server_without_sandboxes(start_server: Callable[..., LiveServer]) -> None:
    client = start_server("--sandbox", "process").client()
    with functions(client, "java") as deploy:
        assert invoke(client, create(deploy, "Echo::text"), "plain")[0] == "plain"
