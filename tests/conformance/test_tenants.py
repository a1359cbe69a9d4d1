"""boto3 against a live server: functions with tenant isolation share nothing between tenants."""

import base64
import json
from typing import Any

import pytest

from tests.conformance.refusals import refusal
from tests.deployment import Functions, creation, unique_name, wait_active, wait_updated

PER_TENANT = {"TenantIsolationMode": "PER_TENANT"}
INVALID = "InvalidParameterValueException"

PYTHON = """
import logging
import os
import uuid
ME, seen = str(uuid.uuid4()), []
def handler(event, context):
    seen.append(context.tenant_id)
    written = os.path.exists("/tmp/secret")
    with open("/tmp/secret", "a") as file:
        file.write(context.tenant_id or "")
    logging.getLogger().warning("hello")
    return {"me": ME, "tenant": context.tenant_id, "seen": seen, "written": written}
"""
NODEJS = """
exports.handler = async (event, context) => { console.log("hello"); return {tenant: context.tenantId}; };
"""


def invoke(client: Any, name: str, tenant_id: str, **more: Any) -> tuple[Any, list[str]]:
    """What the function returned, and the lines of its log."""
    answer = client.invoke(FunctionName=name, TenantId=tenant_id, LogType="Tail", **more)
    assert "FunctionError" not in answer
    return json.load(answer["Payload"]), base64.b64decode(answer["LogResult"]).decode().splitlines()


def test_memory_and_files_of_a_tenant_are_never_seen_by_another(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(PYTHON, TenancyConfig=PER_TENANT)
    first, _ = invoke(lambda_client, name, "blue")
    assert (first["tenant"], first["seen"], first["written"]) == ("blue", ["blue"], False)
    again, _ = invoke(lambda_client, name, "blue")
    assert (again["me"], again["seen"], again["written"]) == (first["me"], ["blue", "blue"], True)
    other, _ = invoke(lambda_client, name, "red")
    assert other["me"] != first["me"]
    assert (other["tenant"], other["seen"], other["written"]) == ("red", ["red"], False)
    back, _ = invoke(lambda_client, name, "blue")
    assert (back["me"], back["seen"]) == (first["me"], ["blue"] * 3)


def test_on_a_full_host_a_tenants_environment_ends_before_another_gets_its_place(start_server: Any) -> None:
    client = start_server("--max-environments", "1").client()
    name = deployed(client)
    for tenant_id in ("blue", "red", "blue"):
        found, _ = invoke(client, name, tenant_id)
        assert (found["seen"], found["written"]) == ([tenant_id], False)


def deployed(client: Any) -> str:
    name = unique_name("tenants")
    client.create_function(**creation(name, PYTHON, TenancyConfig=PER_TENANT))
    wait_active(client, name)
    return name


def test_versions_and_aliases_have_tenants_too(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(PYTHON, TenancyConfig=PER_TENANT)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    version, _ = invoke(lambda_client, name, "blue", Qualifier="live")
    latest, _ = invoke(lambda_client, name, "blue")
    again, _ = invoke(lambda_client, name, "blue", Qualifier="1")
    assert (version["me"] == latest["me"], version["me"] == again["me"]) == (False, True)
    found = lambda_client.get_function_configuration(FunctionName=name, Qualifier="live")
    assert found["TenancyConfig"] == PER_TENANT


def test_json_logs_name_the_tenant(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(
        PYTHON, TenancyConfig=PER_TENANT, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "DEBUG"}
    )
    _, lines = invoke(lambda_client, name, "blue")
    structured = [line for line in lines if line.startswith("{")]
    platform = {line["type"]: line["record"] for line in map(json.loads, structured) if "type" in line}
    for kind in ("platform.start", "platform.runtimeDone", "platform.report"):
        assert platform[kind]["tenantId"] == "blue"
    said = next(line for line in map(json.loads, structured) if line.get("message") == "hello")
    assert said["tenantId"] == "blue"
    text = make_function(PYTHON, TenancyConfig=PER_TENANT)
    _, lines = invoke(lambda_client, text, "blue")
    assert not any("blue" in line for line in lines)


def test_node_has_the_tenant_in_its_context_and_its_logs(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(
        {"index.js": NODEJS},
        Runtime="nodejs20.x",
        Handler="index.handler",
        TenancyConfig=PER_TENANT,
        LoggingConfig={"LogFormat": "JSON"},
    )
    found, lines = invoke(lambda_client, name, "blue/green@example.com:1")
    assert found == {"tenant": "blue/green@example.com:1"}
    said = next(line for line in map(json.loads, lines) if line.get("message") == "hello")
    assert said["tenantId"] == "blue/green@example.com:1"


def test_a_tenant_is_named_where_there_are_some_and_nowhere_else(lambda_client: Any, make_function: Functions) -> None:
    isolated, plain = make_function(PYTHON, TenancyConfig=PER_TENANT), make_function(PYTHON)
    for kind in ("RequestResponse", "DryRun"):
        assert refusal(lambda_client.invoke, FunctionName=isolated, InvocationType=kind) == (
            400,
            INVALID,
            "The invoked function is enabled with tenancy configuration. "
            "Add a valid tenant ID in your request and try again.",
        )
        assert refusal(lambda_client.invoke, FunctionName=plain, TenantId="blue", InvocationType=kind) == (
            400,
            INVALID,
            "The invoked function is not enabled with tenancy configuration. "
            "Remove the tenant ID from your request and try again.",
        )


@pytest.mark.parametrize("tenant_id", ["a#b", "x" * 257, "é"])
def test_a_malformed_tenant_id_is_refused(lambda_client: Any, make_function: Functions, tenant_id: str) -> None:
    name = make_function(PYTHON, TenancyConfig=PER_TENANT)
    status, code, message = refusal(lambda_client.invoke, FunctionName=name, TenantId=tenant_id)
    assert (status, code) == (400, "ValidationException")
    assert "at 'tenantId' failed to satisfy constraint: Member must" in message


def test_what_has_no_tenant_cannot_be_had(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(PYTHON, TenancyConfig=PER_TENANT)
    lambda_client.publish_version(FunctionName=name)
    put, url = lambda_client.put_provisioned_concurrency_config, lambda_client.create_function_url_config
    suffix = "is not supported for functions enabled with tenancy configuration."
    assert refusal(put, FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1) == (
        400,
        INVALID,
        f"Provisioned Concurrency {suffix}",
    )
    assert refusal(url, FunctionName=name, AuthType="NONE") == (400, INVALID, f"Function URL {suffix}")
    update = lambda_client.update_function_configuration
    refused = refusal(update, FunctionName=name, Runtime="python3.12", SnapStart={"ApplyOn": "PublishedVersions"})
    assert refused == (400, INVALID, f"SnapStart {suffix}")
    assert "ProvisionedConcurrencyConfigs" in lambda_client.list_provisioned_concurrency_configs(FunctionName=name)
    assert lambda_client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"] == []
    lambda_client.update_function_configuration(FunctionName=name, Description="still can be changed")
    wait_updated(lambda_client, name)
    assert lambda_client.get_function_configuration(FunctionName=name)["TenancyConfig"] == PER_TENANT
