"""Recorded answers of the API whose requests aren't recorded: the case's name says what was asked."""

from tests.conformance.recorded import handlers
from tests.conformance.recorded.asking import Asking, shows

FILE = "test_lambda_api"
NAMES = "TestLambdaFunction::test_function_name_and_qualifier_validation"
INCOMPLETE_ARN = "arn:aws:lambda:us-east-1:123456789012:function"


@shows(FILE, "TestLambdaVersions::test_publish_with_wrong_revisionid")
def _(asking: Asking) -> None:
    created = asking.create({"index.py": handlers.NOTHING}, Runtime="python3.9", Handler="index.handler")
    asking.shows("create_response", created.form)
    found = asking.settled()
    asking.shows("get_fn_response", found.form)
    refused = asking.ask("PublishVersion", FunctionName=asking.name, RevisionId="doesntexist")
    asking.shows("publish_wrong_revisionid_exc", refused.form)
    revision_id = found.answer["Configuration"]["RevisionId"]
    published = asking.ask("PublishVersion", FunctionName=asking.name, RevisionId=revision_id)
    asking.shows("publish_result", published.form)


@shows(FILE, f"{NAMES}[incomplete_arn-invoke]")
def _(asking: Asking) -> None:
    asking.shows_error("invoke_exception", asking.ask("Invoke", FunctionName=INCOMPLETE_ARN))


@shows(FILE, f"{NAMES}[qualifier_too_long0-get_function]")
def _(asking: Asking) -> None:
    answered = asking.ask("GetFunction", FunctionName="my-function", Qualifier="a" * 129)
    asking.shows_error("get_function_exception", answered)


@shows(FILE, f"{NAMES}[qualifier_too_long0-invoke]")
def _(asking: Asking) -> None:
    asking.shows_error("invoke_exception", asking.ask("Invoke", FunctionName="my-function", Qualifier="a" * 129))


@shows(FILE, f"{NAMES}[qualifier_too_long0-create_function]")
def _(asking: Asking) -> None:
    created = asking.create(handlers.NOTHING, FunctionName="my-function:" + "a" * 129)
    asking.shows_error("create_function_exception", created)


@shows(FILE, f"{NAMES}[function_name_and_qualifier_too_long-get_function]")
@shows(FILE, f"{NAMES}[qualifier_too_long1-get_function]")
def _(asking: Asking) -> None:
    answered = asking.ask("GetFunction", FunctionName="my-function", Qualifier="a" * 65)
    asking.shows_error("get_function_exception", answered)


@shows(FILE, f"{NAMES}[function_name_and_qualifier_too_long-delete_function]")
@shows(FILE, f"{NAMES}[qualifier_too_long1-delete_function]")
def _(asking: Asking) -> None:
    answered = asking.ask("DeleteFunction", FunctionName="my-function", Qualifier="a" * 65)
    asking.shows_error("delete_function_exception", answered)


@shows(FILE, "TestLambdaSizeLimits::test_oversized_lambda")
def _(asking: Asking) -> None:
    package = handlers.package({"handler.py": handlers.NOTHING, "zeros": bytes(262_144_000)})
    asking.shows("invalid_param_exc", asking.create(package, Timeout=10).form)


@shows(FILE, "TestLambdaTag::test_tag_lifecycle")
def _(asking: Asking) -> None:
    arn = asking.create_active(handlers.NOTHING).answer["FunctionArn"]

    def tag(name: str, **tags: str) -> None:
        asking.shows(f"tag_{name}_response", asking.ask("TagResource", Resource=arn, Tags=tags).form)
        asking.shows(f"tag_{name}_response_listtags", asking.ask("ListTags", Resource=arn).form)

    def untag(name: str, *keys: str) -> None:
        asking.shows(f"untag_{name}_response", asking.ask("UntagResource", Resource=arn, TagKeys=list(keys)).form)
        asking.shows(f"untag_{name}_response_listtags", asking.ask("ListTags", Resource=arn).form)

    tag("single", A="tag-a")
    tag("multiple", B="tag-b", C="tag-c")
    tag("overlap", C="tag-c-newsuffix", D="tag-d")
    untag("single", "A")
    untag("multiple", "B", "C")
    untag("nonexisting", "F")
    untag("existing_and_nonexisting", "D", "F")


@shows(FILE, "TestLambdaFunction::test_invalid_vpc_config_security_group")
def _(asking: Asking) -> None:
    vpc_config = {"SubnetIds": ["subnet-0123456789abcdef0"], "SecurityGroupIds": ["bad-format-0a1b2c3d"]}
    refused = asking.create(handlers.NOTHING, VpcConfig=vpc_config)
    asking.shows("create-response-invalid-format-security-group", refused.form)


@shows(FILE, "TestLambdaImages::test_lambda_zip_file_to_image")
def _(asking: Asking) -> None:
    asking.shows("create-image-response", asking.create_active(handlers.NOTHING).form)

    def found(moment: str = "") -> None:
        asking.shows(f"get-function-code-response{moment}", asking.settled().form)
        configuration = asking.ask("GetFunctionConfiguration", FunctionName=asking.name)
        asking.shows(f"get-function-config-response{moment}", configuration.form)

    found()
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/repository:latest"
    refused = asking.ask("UpdateFunctionCode", FunctionName=asking.name, ImageUri=image)
    asking.shows("zipfile-to-image-error", refused.form)
    found("-after-update")
