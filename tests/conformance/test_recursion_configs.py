"""boto3 against a live server: whether a function may invoke itself in a loop."""

from typing import Any

from tests.conformance.refusals import refused
from tests.deployment import Functions

NOTHING = "def handler(event, context):\n    return None\n"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"


def test_loops_are_ended_until_they_are_allowed(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)
    put, read = lambda_client.put_function_recursion_config, lambda_client.get_function_recursion_config
    assert read(FunctionName=name)["RecursiveLoop"] == "Terminate"
    for wanted in ("Allow", "Allow", "Terminate"):
        assert put(FunctionName=f"{ARN}{name}", RecursiveLoop=wanted)["RecursiveLoop"] == wanted
        assert read(FunctionName=name)["RecursiveLoop"] == wanted


def test_what_is_refused_changes_nothing(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)
    put, read = lambda_client.put_function_recursion_config, lambda_client.get_function_recursion_config
    put(FunctionName=name, RecursiveLoop="Allow")
    assert refused(put, FunctionName=name, RecursiveLoop="Perhaps") == (
        "ValidationException",
        "1 validation error detected: Value 'Perhaps' at 'recursiveLoop' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Terminate, Allow]",
    )
    assert refused(put, FunctionName=f"{name}:$LATEST", RecursiveLoop="Terminate")[0] == "ValidationException"
    assert read(FunctionName=name)["RecursiveLoop"] == "Allow"
    missing = ("ResourceNotFoundException", f"Function not found: {ARN}nothing-of-the-kind")
    assert refused(put, FunctionName="nothing-of-the-kind", RecursiveLoop="Allow") == missing
    assert refused(read, FunctionName="nothing-of-the-kind") == missing


def test_it_survives_a_restart_and_goes_with_the_function(start_server: Any) -> None:
    server = start_server()
    name = Functions(server.client(), "loop")(NOTHING)
    server.client().put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    server.kill()
    server.start()
    client = server.client()
    assert client.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"
    client.delete_function(FunctionName=name)
    Functions(client, "loop")(NOTHING, FunctionName=name)
    assert client.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
