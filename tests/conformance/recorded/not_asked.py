"""Recorded cases that nothing here asks yet, each with its reason; with the asked ones they are all there are."""

import re
from collections.abc import Iterator

from tests.conformance.recorded.asking import ASKED
from tests.conformance.recorded.recordings import cases, recorded_answers

FILES = ("test_lambda", "test_lambda_common", "test_lambda_runtimes", "test_lambda_api")

_NAMED = "no answer is recorded; test_named_cases.py asks what the name says"

_RETRIES = "what is recorded is in the log; tests/conformance/test_event_retries.py looks there"

NOT_ASKED = {
    r"TestLambdaCallingLocalstack::.*\[(ruby|java|dotnet).*": (
        "no answer is recorded, and the function calls another AWS service"
    ),
    r"TestLambdaCallingLocalstack::.*\[(python|nodejs).*": (
        "no answer is recorded; tests/conformance/programs/test_endpoint_given_to_a_function.py asks what the name says"
    ),
    r"TestLambdaRuntimesCommon::test_echo_invoke\[(python|nodejs|java|provided|ruby|dotnet).*": _NAMED,
    r"TestPythonRuntimes::test_python_runtime_correct_versions.*": _NAMED,
    r"TestLambdaBaseFeatures::test_(large_payloads|lambda_large_response)": _NAMED,
    r"TestRequestIdHandling::test_request_id_format": _NAMED,
    r"TestRequestIdHandling::test_request_id_async_invoke_with_retry": _RETRIES,
    r"TestLambdaVersions::test_async_invoke_queue_upon_function_update": _RETRIES,
    r"TestLambdaFeatures::test_upload_lambda_from_s3": "needs code in S3",
    r"TestLambdaBehavior::test_runtime_introspection_arm": "needs an arm64 machine",
    r"TestLambdaURL::test_lambda_url_invocation_custom_id(_aliased)?": (
        "no answer is recorded, and the ids of AWS's URLs are not for customers to choose"
    ),
    r"TestLambdaURL::test_lambda_url_non_existing_url": (
        "no answer is recorded; tests/conformance/function_urls asks for what isn't there"
    ),
    r"TestLambdaMultiAccounts::.*": (
        "no answer is recorded, and policies aren't evaluated yet; test_two_accounts.py asks every operation"
    ),
    r"TestPartialARNMatching::test_cross_region_arn_function_access": (
        "no answer is recorded; TestLambdaFunction::test_get_function_wrong_region is replayed"
    ),
    r"TestLambdaPermissions::test_add_lambda_permission_optional_fields": (
        "no answer is recorded; tests/conformance/policies asks for every member"
    ),
    r"TestLambdaPermissions::test_lambda_permission_revisions": (
        "recorded in 2022, before policies had RevisionIds of their own and errors that name GetPolicy, "
        "as the later recordings show"
    ),
    r"TestLambdaFunction::test_function_name_and_qualifier_validation\[.*": (
        "no answer is recorded, and the name does not say what was asked"
    ),
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
