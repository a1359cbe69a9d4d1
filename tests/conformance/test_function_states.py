"""boto3 against a live server: the states of functions and updates, boto3's waiters, updates that meet or fail."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.functions import SqliteFunctions
from tests.component.store.samples import function as stored
from tests.conformance.refusals import refused
from tests.deployment import RUNTIME, Functions, configuration, wait_active, wait_updated, zipped
from tests.live_server import LiveServer

SOURCE = "def handler(event, context):\n    return 'first'\n"
SECOND = "def handler(event, context):\n    return 'second'\n"
UNAVAILABLE = "java21"
"""A runtime that Lampion doesn't run: work on a function that asks for it fails."""


def invoke(client: Any, name: str) -> Any:
    return json.load(client.invoke(FunctionName=name)["Payload"])


@pytest.mark.parametrize(
    ("operation", "members"),
    [("update_function_code", {"ZipFile": zipped(SECOND)}), ("update_function_configuration", {"Timeout": 9})],
)
def test_an_update_of_another_revision_is_refused(
    lambda_client: Any, make_function: Functions, operation: str, members: dict[str, Any]
) -> None:
    name = make_function(SOURCE)
    before = configuration(lambda_client, name)
    stale = refused(getattr(lambda_client, operation), FunctionName=name, RevisionId="another", **members)
    assert stale == (
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    )
    assert configuration(lambda_client, name) == before
    getattr(lambda_client, operation)(FunctionName=name, RevisionId=before["RevisionId"], **members)
    wait_updated(lambda_client, name)


@pytest.mark.parametrize(
    ("waiter", "arguments"),
    [
        ("function_exists", {}),
        ("function_active", {}),
        ("function_active_v2", {}),
        ("function_updated", {}),
        ("function_updated_v2", {}),
        ("published_version_active", {"Qualifier": "1"}),
    ],
)
def test_every_waiter_of_boto3_ends(lambda_client: Any, make_idle: Any, waiter: str, arguments: dict[str, Any]) -> None:
    name = make_idle(Publish=True)["FunctionName"]
    settings = {"Delay": 0.05, "MaxAttempts": 400}
    lambda_client.get_waiter(waiter).wait(FunctionName=name, WaiterConfig=settings, **arguments)


def test_a_creation_that_fails_says_why_and_does_not_run(lambda_client: Any, make_idle: Any) -> None:
    name = make_idle(Runtime=UNAVAILABLE)["FunctionName"]
    with pytest.raises(WaiterError):
        wait_active(lambda_client, name)
    failed = configuration(lambda_client, name)
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InvalidRuntime")
    assert UNAVAILABLE in failed["StateReason"]
    assert refused(lambda_client.invoke, FunctionName=name) == (
        "ResourceConflictException",
        "The operation cannot be performed at this time. The function is currently in the following state: Failed",
    )


def test_an_update_that_fails_leaves_what_ran_and_the_next_one_is_taken(
    lambda_client: Any, make_function: Functions
) -> None:
    name = make_function(SOURCE, Description="before")
    before = configuration(lambda_client, name)
    answered = lambda_client.update_function_configuration(FunctionName=name, Runtime=UNAVAILABLE, Description="after")
    assert (answered["LastUpdateStatus"], answered["Runtime"]) == ("InProgress", UNAVAILABLE)
    with pytest.raises(WaiterError):
        wait_updated(lambda_client, name)
    after = configuration(lambda_client, name)
    assert (after["State"], after["LastUpdateStatus"]) == ("Active", "Failed")
    assert (after["LastUpdateStatusReasonCode"], after["Runtime"]) == ("InvalidRuntime", RUNTIME)
    assert (after["Description"], after["RevisionId"] != before["RevisionId"]) == ("before", True)
    assert invoke(lambda_client, name) == "first"
    lambda_client.update_function_code(FunctionName=name, ZipFile=zipped(SECOND))
    wait_updated(lambda_client, name)
    assert invoke(lambda_client, name) == "second"


def test_of_updates_at_once_one_is_taken_and_the_others_learn_of_it(
    lambda_client: Any, make_function: Functions
) -> None:
    name = make_function(SOURCE)
    arn = configuration(lambda_client, name)["FunctionArn"]

    def change(seconds: int) -> int | str:
        try:
            return int(lambda_client.update_function_configuration(FunctionName=name, Timeout=seconds)["Timeout"])
        except lambda_client.exceptions.ResourceConflictException as error:
            return str(error.response["message"])

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(change, range(10, 26)))
    wait_updated(lambda_client, name)
    taken = [answer for answer in answers if isinstance(answer, int)]
    assert taken
    assert configuration(lambda_client, name)["Timeout"] in taken
    in_progress = f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
    assert {answer for answer in answers if isinstance(answer, str)} <= {in_progress}


def test_a_function_past_its_runtimes_last_day_takes_one_update_only(private_server: LiveServer) -> None:
    """That to a runtime of today. Such a function comes from an earlier day: no API takes its runtime any more."""
    private_server.stop()
    old = stored("old", settled=True)
    old = replace(old, configuration=replace(old.configuration, runtime="python2.7"))

    async def store() -> None:
        database = await open_database(private_server.data / "lampion.db")
        await SqliteFunctions(database).insert(old)
        await database.close()

    asyncio.run(store())
    private_server.start()
    client = private_server.client()
    too_old = (
        "InvalidParameterValueException",
        "The runtime parameter of python2.7 is no longer supported for creating or updating AWS Lambda functions. "
        "We recommend you use a supported runtime while creating or updating functions.",
    )
    assert refused(client.update_function_configuration, FunctionName="old", Timeout=9) == too_old
    assert refused(client.update_function_code, FunctionName="old", ZipFile=zipped(SECOND)) == too_old
    moved = client.update_function_configuration(FunctionName="old", Runtime=RUNTIME)
    assert (moved["Runtime"], moved["LastUpdateStatus"]) == (RUNTIME, "InProgress")
    client.close()
