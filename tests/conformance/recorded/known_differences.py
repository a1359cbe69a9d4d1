"""Where Lampion can't, or knowingly doesn't, answer as was recorded: each with its reason.

An entry that no longer matches any difference is itself reported, so that the table stays true.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.conformance.recorded.comparison import Difference
from tests.conformance.recorded.outcomes import AnswerDifference, Outcome, Status


@dataclass(frozen=True, slots=True)
class Known:
    """Differences of one case at paths that match `paths`, a regular expression for the whole `answer.path`."""

    case: str
    paths: str
    reason: str
    depends_on_machine: bool = False
    """Whether there are machines on which the answer is as it was recorded."""

    def covers(self, case: str, one: AnswerDifference) -> bool:
        where = f"{one.answer}.{one.difference.path}"
        return case == self.case and re.fullmatch(self.paths, where) is not None


KNOWN: tuple[Known, ...] = (
    Known(
        "TestLambdaFunction::test_vpc_config",
        r"(create_response|get_function_response|update_vpcconfig_\w+)\..*VpcConfig\.VpcId",
        "EC2 knows to which VPC a subnet belongs",
    ),
    Known(
        "TestLambdaFeatures::test_basic_invoke",
        r".*(LoggingConfig|RuntimeVersionConfig|SnapStart)",
        "recorded before AWS's answers had this member",
    ),
    Known(
        "TestLambdaConcurrency::test_lambda_provisioned_concurrency_moves_with_alias",
        r".*LoggingConfig",
        "recorded before AWS's answers had this member",
    ),
    Known(
        "TestLambdaVersions::test_publish_with_wrong_revisionid",
        r".*(LoggingConfig|RuntimeVersionConfig|SnapStart)",
        "recorded before AWS's answers had this member",
    ),
    Known(
        "TestLambdaVersions::test_publish_with_update",
        r"get_function_version_result\.Configuration\.(RevisionId|State|StateReason|StateReasonCode|LastUpdateStatus)"
        r"|get_function_latest_result\.Configuration\.(RevisionId|LastUpdateStatus(Reason|ReasonCode)?)",
        "recorded while the update was under way, which here may be over before the question",
        depends_on_machine=True,
    ),
    Known(
        "TestLambdaAliases::test_alias_routingconfig",
        r"create_alias_response\.AliasArn",
        "recorded with one placeholder for the function's name and the alias",
    ),
    *(
        Known(
            f"TestLambdaImages::test_lambda_image_{case}",
            r".*CodeSize",
            "of an image it is 0 (published answers of AWS); the placeholder doesn't tell which number stood there",
        )
        for case in ("and_image_config_crud", "versions")
    ),
    Known(
        "TestLambdaURL::test_lambda_url_persists_after_alias_delete",
        r"create_lambda_url_config\.FunctionArn",
        "recorded with one placeholder for the function's name and the alias",
    ),
    Known(
        "TestLambdaBehavior::test_runtime_introspection_x86",
        r".*_lambda-entrypoint\.sh_(mode|uid|owner|gid)",
        "a file of AWS's container images, which nothing in Lampion's sandbox starts by",
    ),
    Known(
        "TestLambdaBehavior::test_lambda_init_environment",
        r".*\.(_AWS_XRAY_DAEMON_ADDRESS|AWS_XRAY_DAEMON_ADDRESS)",
        "the Runtime API is not at the address of the X-Ray daemon: it is on the sandbox's loopback",
    ),
    Known(
        "TestLambdaRuntimesCommon::test_introspection_invoke[provided.al2]",
        r".*\.(_AWS_XRAY_DAEMON_ADDRESS|AWS_XRAY_DAEMON_ADDRESS)",
        "recorded on a machine of AWS's where the X-Ray daemon was elsewhere than in all other recordings",
    ),
    Known(
        "TestLambdaBehavior::test_lambda_init_environment",
        r".*\.(AWS_EXECUTION_ENV|_X_AMZN_TRACE_ID)",
        "recorded with python3.14, which has a trace id at init; asked with python3.13",
    ),
    *(
        Known(case, r".*\.AWS_ENDPOINT_URL", "tells AWS's clients that this server is their AWS, as AWS needn't")
        for case in (
            "TestLambdaBehavior::test_lambda_init_environment",
            *(
                f"TestLambdaRuntimesCommon::test_introspection_invoke[{runtime}]"
                for runtime in (
                    *("python3.8", "python3.10", "python3.13", "python3.14"),
                    *("nodejs16.x", "nodejs18.x", "nodejs20.x", "nodejs22.x", "provided.al2", "ruby3.4"),
                    *("java17", "java21"),
                    *("dotnet6", "dotnet10"),
                )
            ),
        )
    ),
    *(
        Known(
            f"TestLambdaRuntimesCommon::test_introspection_invoke[{runtime}]",
            r".*\.AWS_LAMBDA_RUNTIME_API",
            "the Runtime API is on the sandbox's loopback",
        )
        for runtime in (
            *("python3.8", "python3.10", "python3.13", "python3.14"),
            *("nodejs16.x", "nodejs18.x", "nodejs20.x", "nodejs22.x"),
            "ruby3.4",
            *("java17", "java21"),
            *("dotnet6", "dotnet10"),
        )
    ),
    *(
        Known(
            f"TestLambdaRuntimesCommon::test_introspection_invoke[{runtime}]",
            r".*\._LAMBDA_TELEMETRY_LOG_FD",
            "which number the descriptor has is for each environment to say",
        )
        for runtime in ("java17", "java21", "dotnet6", "dotnet10")
    ),
    *(
        Known(
            f"TestLambdaRuntimesCommon::test_introspection_invoke[{runtime}]",
            r".*\.NODE_EXTRA_CA_CERTS",
            "names certificates that AWS's runtime brought until Node.js 18, and Lampion's doesn't",
        )
        for runtime in ("nodejs16.x", "nodejs18.x")
    ),
    *(
        Known(
            f"TestLambdaRuntimesCommon::test_introspection_invoke[python{version}]",
            r".*\.LC_CTYPE",
            "the interpreter sets it where the machine has no locale en_US.UTF-8, as AWS's newer systems don't",
            depends_on_machine=True,
        )
        for version in ("3.8", "3.10", "3.13", "3.14")
    ),
)


def with_known(outcome: Outcome, table: Sequence[Known] = KNOWN) -> Outcome:
    """The outcome with its known differences marked, and with one more for every entry that matches nothing."""
    if outcome.status is not Status.RAN:
        return outcome
    entries = [entry for entry in table if entry.case == outcome.case]
    marked = []
    for one in outcome.differences:
        reasons = [entry.reason for entry in entries if entry.covers(outcome.case, one)]
        marked.append(replace(one, known=reasons[0]) if reasons else one)
    for entry in entries:
        if not entry.depends_on_machine and not any(entry.covers(outcome.case, one) for one in outcome.differences):
            gone = Difference(entry.paths, f"a known difference: {entry.reason}", "the recorded answer")
            marked.append(AnswerDifference("known differences", gone))
    return replace(outcome, differences=tuple(marked))
