"""What was asked, as far as the answers show it, in the recordings of functions that are container images."""

from typing import Any

from tests.conformance.recorded.asking import Asking, shows
from tests.conformance.recorded.made_answers import Answered
from tests.deployment import ROLE
from tests.images.making import static_image
from tests.images.pushing import pushed

FILE = "test_lambda_api"
_ENVIRONMENT = {"Variables": {"CUSTOM_ENV": "test"}}


def _create(asking: Asking, **configuration: Any) -> Answered:
    uri = pushed(asking.client, "recorded", static_image())
    asking.functions.add(asking.name)
    return asking.ask(
        "CreateFunction",
        FunctionName=asking.name,
        Role=ROLE,
        PackageType="Image",
        Code={"ImageUri": uri},
        Environment=_ENVIRONMENT,
        **configuration,
    )


@shows(FILE, "TestLambdaImages::test_lambda_image_and_image_config_crud")
def _(asking: Asking) -> None:
    def found(code: str, configuration: str) -> None:
        asking.shows(code, asking.settled().form)
        asking.shows(configuration, asking.ask("GetFunctionConfiguration", FunctionName=asking.name).form)

    def update(**image_config: Any) -> Answered:
        return asking.ask("UpdateFunctionConfiguration", FunctionName=asking.name, ImageConfig=image_config)

    first = {"EntryPoint": ["sh"], "Command": ["-c", "echo test"], "WorkingDirectory": "/app1"}
    asking.shows("create-image-with-config-response", _create(asking, ImageConfig=first).form)
    found("get-function-code-with-config-response", "get-function-config-with-config-response")
    updated = update(Command=["-c", "echo test1"], WorkingDirectory="/app1")
    asking.shows("update-function-code-response", updated.form)
    found("get-function-code-response-after-update", "get-function-config-response-after-update")
    asking.shows("update-function-code-delete-imageconfig-response", update().form)
    found(
        "get-function-code-response-after-delete-imageconfig", "get-function-config-response-after-delete-imageconfig"
    )


@shows(FILE, "TestLambdaImages::test_lambda_image_versions")
def _(asking: Asking) -> None:
    def describe(description: str) -> Answered:
        return asking.ask("UpdateFunctionConfiguration", FunctionName=asking.name, Description=description)

    def publish(found: Answered, description: str, **wanted: str) -> Answered:
        named = {"CodeSha256": found.answer["Configuration"]["CodeSha256"], **wanted}
        return asking.ask("PublishVersion", FunctionName=asking.name, Description=description, **named)

    asking.shows("create_image_response", _create(asking, Publish=True).form)
    asking.shows("get_function_result", asking.settled().form)
    asking.shows("list_versions_result", asking.ask("ListVersionsByFunction", FunctionName=asking.name).form)
    asking.shows("first_update_response", describe("Second version :)").form)
    found = asking.settled()
    asking.shows("first_update_get_function", found.form)
    asking.shows("invalid_sha_publish", publish(found, "never", CodeSha256="a" * 64).form)
    asking.shows("first_publish_response", publish(found, "Second version description :)").form)
    asking.shows("second_update_response", describe("Third version :)").form)
    found = asking.settled()
    asking.shows("second_update_get_function", found.form)
    asking.shows("second_publish_response", publish(found, "Third version description :)").form)
