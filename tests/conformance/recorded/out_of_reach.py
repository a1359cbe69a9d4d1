"""Recorded answers that aren't asked for because other services or parts of Lampion to come would give them: why.

Whatever else their case has is compared. An entry whose answer is given after all is reported.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple


class OutOfReach(NamedTuple):
    """Answers of the cases whose names match `cases`; `answers` is a regular expression too, for all of a name."""

    cases: str
    answers: str
    reason: str

    def covers(self, case: str, answer: str) -> bool:
        return re.fullmatch(self.cases, case) is not None and re.fullmatch(self.answers, answer) is not None


_SUBNET: Final = "EC2 knows which subnets there are: here any one of the right form may be named"
_GROUP: Final = "EC2 knows which security groups there are: here any one of the right form may be named"
_QUEUE: Final = "what arrived in a queue of SQS; tests/companion looks there"
_CODE: Final = "the code is in S3, which this server doesn't read yet"

OUT_OF_REACH: Final[tuple[OutOfReach, ...]] = (
    OutOfReach(
        "TestLambdaFunction::test_invalid_vpc_config_subnet", r"create-response-non-existent-subnet-id", _SUBNET
    ),
    OutOfReach(
        "TestLambdaFunction::test_invalid_vpc_config_security_group",
        r"create-response-non-existent-security-group",
        _GROUP,
    ),
    OutOfReach("TestLambdaLayer::test_layer_s3_content", r"publish_layer_result", _CODE),
    OutOfReach("TestLambdaSizeLimits::test_large_lambda", r"create_function_large_zip", _CODE),
    OutOfReach(
        "TestLambdaEventSourceMappings::test_event_source_mapping_lifecycle_delete_function",
        r"update_table_response",
        "DynamoDB's own answer",
    ),
    OutOfReach(r"TestLambdaConcurrency::test_reserved_concurrency", r"msg", _QUEUE),
    OutOfReach(
        "TestLambdaTag::test_create_tag_on_esm_create",
        r"get_event_source_mapping_with_tag",
        "a yes made of the mapping's answer, to a question that isn't recorded",
    ),
)


def why_out_of_reach(case: str, answer: str) -> str | None:
    """The reason; None for an answer that has to be AWS's."""
    return next((one.reason for one in OUT_OF_REACH if one.covers(case, answer)), None)


def reasons_out_of_reach(case: str, answers: Iterable[str]) -> dict[str, str]:
    """By name, of those answers of a case that are out of reach."""
    reasons = {name: why_out_of_reach(case, name) for name in answers}
    return {name: reason for name, reason in reasons.items() if reason is not None}
