"""Recorded cases that nothing here asks yet, each with its reason; with the asked ones they are all there are."""

import re
from collections.abc import Iterator

from tests.conformance.recorded.asking import ASKED
from tests.conformance.recorded.recordings import cases, recorded_answers

FILES = ("test_lambda", "test_lambda_common", "test_lambda_runtimes", "test_lambda_api")

_NAMED = "no answer is recorded; test_named_cases.py asks what the name says"
_POLICIES = "the policies would have to be evaluated"
_UNCLEAR = "the recording does not say what was asked"

NOT_ASKED = {
    r".*\[(java|ruby|dotnet|provided).*": "a runtime other than Python and Node.js",
    r"TestLambdaCallingLocalstack::.*\[(python|nodejs).*": (
        "no answer is recorded, and the function calls another AWS service"
    ),
    r"TestLambdaRuntimesCommon::test_echo_invoke\[(python|nodejs).*": _NAMED,
    r"TestPythonRuntimes::test_python_runtime_correct_versions.*": _NAMED,
    r"TestLambdaBaseFeatures::test_(large_payloads|lambda_large_response)": _NAMED,
    r"TestRequestIdHandling::test_request_id_format": _NAMED,
    r"TestRequestIdHandling::test_request_id_async_invoke_with_retry": "needs the event queue and CloudWatch Logs",
    r"TestLambdaVersions::test_async_invoke_queue_upon_function_update": "needs the event queue",
    r"TestLambdaFeatures::test_upload_lambda_from_s3": "needs S3",
    r"TestLambdaBehavior::test_runtime_introspection_arm": "needs an arm64 machine",
    r"TestLambdaConcurrency::test_reserved_concurrency": "needs the event queue and SQS",
    r"TestLambdaConcurrency::test_.*provisioned_concurrency.*": (
        "needs environments that are initialized ahead of invocations"
    ),
    r"TestLambda(URL::.*|Permissions::test_lambda_permission_url_invocation)": "needs function URLs that are served",
    r"TestRequestIdHandling::test_request_id_invoke_url": "needs function URLs that are served",
    r"TestLambdaMultiAccounts::.*": _POLICIES,
    r"TestPartialARNMatching::.*": _POLICIES,
    r"TestLambdaPermissions::test_add_lambda_permission_optional_fields": (
        "no answer is recorded; tests/conformance/policies asks for every member"
    ),
    r"TestLambdaPermissions::test_lambda_permission_revisions": (
        "recorded in 2022, before policies had RevisionIds of their own, as the later recordings show"
    ),
    r"TestLambdaImages::.*": "needs container images",
    r"TestLambdaFunction::test_invalid_vpc_config_security_group": "needs EC2",
    r"TestLambdaFunction::test_function_name_and_qualifier_validation\[.*too_long.*": _UNCLEAR,
    r"TestLambdaFunction::test_function_name_and_qualifier_validation\[incomplete_arn-create_function\]": _UNCLEAR,
}


def without_requests() -> Iterator[str]:
    """Every case that has to be asked by a function of ours, if at all."""
    for file in FILES:
        yield from (name for name in recorded_answers(file) if name not in cases())


def reasons(name: str) -> list[str]:
    """Why a case isn't asked; empty for one that is."""
    if name in ASKED:
        return []
    return [reason for pattern, reason in NOT_ASKED.items() if re.fullmatch(pattern, name)]
