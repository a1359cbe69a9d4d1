"""boto3 against a live server: runtime management of $LATEST and of versions."""

from typing import Any

from tests.conformance.refusals import refused
from tests.deployment import RUNTIME, Functions, arn_of, wait_updated, zipped

NOTHING = "def handler(event, context):\n    return None\n"


def present(client: Any, name: str) -> str:
    found: str = client.get_function_configuration(FunctionName=name)["RuntimeVersionConfig"]["RuntimeVersionArn"]
    return found


def configured(client: Any, name: str, **arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get_runtime_management_config(FunctionName=name, **arguments)
    return {member: value for member, value in answer.items() if member != "ResponseMetadata"}


def test_a_function_is_managed_automatically_until_told_otherwise(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)
    assert configured(lambda_client, name) == {"UpdateRuntimeOn": "Auto", "FunctionArn": arn_of(name)}
    put = lambda_client.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    assert (put["UpdateRuntimeOn"], put["FunctionArn"]) == ("FunctionUpdate", arn_of(name))
    assert configured(lambda_client, arn_of(name)) == {
        "UpdateRuntimeOn": "FunctionUpdate",
        "FunctionArn": arn_of(name),
    }
    assert configured(lambda_client, name, Qualifier="$LATEST")["FunctionArn"] == arn_of(name, ":$LATEST")
    version = present(lambda_client, name)
    manual = {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": version}
    put = lambda_client.put_runtime_management_config(FunctionName=name, **manual)
    assert configured(lambda_client, name) == {**manual, "FunctionArn": arn_of(name)}
    assert {**manual, "FunctionArn": arn_of(name)}.items() <= put.items()
    lambda_client.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="Auto")
    assert configured(lambda_client, name) == {"UpdateRuntimeOn": "Auto", "FunctionArn": arn_of(name)}


def test_each_version_has_its_own_beginning_with_that_of_latest(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)
    lambda_client.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    lambda_client.publish_version(FunctionName=name)
    lambda_client.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="Auto")
    assert configured(lambda_client, name, Qualifier="1") == {
        "UpdateRuntimeOn": "FunctionUpdate",
        "FunctionArn": arn_of(name, ":1"),
    }
    pinned = {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": present(lambda_client, name)}
    lambda_client.put_runtime_management_config(FunctionName=f"{name}:1", **pinned)
    assert configured(lambda_client, name, Qualifier="1")["UpdateRuntimeOn"] == "Manual"
    assert configured(lambda_client, name)["UpdateRuntimeOn"] == "Auto"
    assert lambda_client.invoke(FunctionName=name, Qualifier="1")["ExecutedVersion"] == "1"


def test_manual_keeps_the_runtime_until_it_is_given_up(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)
    other = "python3.13" if RUNTIME != "python3.13" else "python3.12"
    version = present(lambda_client, name)
    lambda_client.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="Manual", RuntimeVersionArn=version)
    assert refused(lambda_client.update_function_configuration, FunctionName=name, Runtime=other) == (
        "InvalidParameterValueException",
        "Cannot change runtime identifier when runtime management configuration is set to 'Manual'. "
        "Change the runtime management configuration to 'Auto' or 'FunctionUpdate', then retry.",
    )
    update: dict[str, Any] = {"FunctionName": name, "ZipFile": zipped(NOTHING), "Architectures": ["arm64"]}
    assert refused(lambda_client.update_function_code, **update)[1].startswith("Cannot change architecture when ")
    kept = lambda_client.get_function_configuration(FunctionName=name)
    assert (kept["Runtime"], kept["Architectures"]) == (RUNTIME, ["x86_64"])
    lambda_client.update_function_configuration(FunctionName=name, Runtime=RUNTIME, Description="the same runtime")
    wait_updated(lambda_client, name)
    assert configured(lambda_client, name)["UpdateRuntimeOn"] == "Manual"
    lambda_client.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    changed = lambda_client.update_function_configuration(FunctionName=name, Runtime=other)
    assert changed["Runtime"] == other


def test_what_is_refused_changes_nothing(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    before = lambda_client.get_function_configuration(FunctionName=name)["RevisionId"]
    put, read = lambda_client.put_runtime_management_config, lambda_client.get_runtime_management_config
    no_alias = (
        "InvalidParameterValueException",
        f"The provided function name {arn_of(name, ':live')} is invalid. Aliases are not allowed.",
    )
    assert refused(put, FunctionName=name, Qualifier="live", UpdateRuntimeOn="Auto") == no_alias
    assert refused(read, FunctionName=f"{name}:live") == no_alias
    missing = ("ResourceNotFoundException", f"Function not found: {arn_of(name, ':9')}")
    assert refused(put, FunctionName=name, Qualifier="9", UpdateRuntimeOn="Auto") == missing
    assert refused(read, FunctionName=name, Qualifier="9") == missing
    unknown = "arn:aws:lambda:us-east-1::runtime:" + "0" * 64
    assert refused(put, FunctionName=name, UpdateRuntimeOn="Manual")[0] == "InvalidParameterValueException"
    assert refused(put, FunctionName=name, UpdateRuntimeOn="Manual", RuntimeVersionArn=unknown)[0] == (
        "InvalidParameterValueException"
    )
    assert refused(put, FunctionName=name, UpdateRuntimeOn="Never") == (
        "ValidationException",
        "1 validation error detected: Value 'Never' at 'updateRuntimeOn' failed to satisfy constraint: "
        "Member must satisfy enum value set: [FunctionUpdate, Manual, Auto]",
    )
    assert lambda_client.get_function_configuration(FunctionName=name)["RevisionId"] == before
    assert configured(lambda_client, name)["UpdateRuntimeOn"] == "Auto"


def test_it_survives_a_restart_and_goes_with_the_function(start_server: Any) -> None:
    server = start_server()
    name = Functions(server.client(), "managed")(NOTHING)
    server.client().put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    server.kill()
    server.start()
    client = server.client()
    assert configured(client, name)["UpdateRuntimeOn"] == "FunctionUpdate"
    client.delete_function(FunctionName=name)
    Functions(client, "managed")(NOTHING, FunctionName=name)
    assert configured(client, name)["UpdateRuntimeOn"] == "Auto"
