"""What roles called, and the least policy that allows it."""

from lampion.identity.call_record import CallRecord, least_policy

ROLE = "arn:aws:iam::123456789012:role/r"


def test_the_least_policy_allows_what_was_called_and_nothing_else() -> None:
    record = CallRecord()
    for action, resource in (
        ("sqs:SendMessage", "q1"),
        ("sqs:SendMessage", "q2"),
        ("lambda:ListFunctions", "*"),
        ("sqs:ReceiveMessage", "q3"),
        ("sqs:DeleteMessage", "q3"),
        ("sqs:SendMessage", "q1"),
    ):
        record.note(ROLE, action, resource)
    assert least_policy(record.of(ROLE)) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "lambda:ListFunctions", "Resource": "*"},
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": ["q1", "q2"]},
            {"Effect": "Allow", "Action": ["sqs:DeleteMessage", "sqs:ReceiveMessage"], "Resource": "q3"},
        ],
    }


def test_roles_are_told_apart_and_who_calls_ever_new_things_fills_nothing() -> None:
    record = CallRecord()
    for number in range(1500):
        record.note(ROLE, "s3:GetObject", str(number))
        record.note(f"{ROLE}{number}", "s3:GetObject", "one")
    assert len(record.of(f"{ROLE}1499")) == 1
    assert record.of(f"{ROLE}1") == []  # the oldest are forgotten
    record.note(ROLE, "s3:GetObject", "one")
    for number in range(1500):
        record.note(ROLE, "s3:GetObject", str(number))
    assert len(record.of(ROLE)) == 1000


def test_what_hostile_code_writes_to_fill_the_memory_isnt_kept() -> None:
    record = CallRecord()
    record.note(ROLE, "sns:Publish", "a" * 100_000)
    record.note(ROLE, "sqs:" + "a" * 100_000, "*")
    record.note(ROLE, "sqs:SendMessage", "a" * 2000)
    assert [call.action for call in record.of(ROLE)] == ["sqs:SendMessage"]


def test_no_call_makes_the_suggested_policy_wider_than_itself() -> None:
    """The function's code chooses what it names, and who runs the server takes over what is suggested."""
    record = CallRecord()
    mapping = "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:*"
    for action, resource in (
        ("sqs:*", "*"),
        ("sqs:Send?essage", "q"),
        ("sns:Publish", "arn:aws:sns:us-east-1:123456789012:*"),
        ("sns:Publish", "arn:aws:sns:*:*:*"),
        ("events:PutEvents", "arn:aws:events:us-east-1:123456789012:event-bus/${aws:PrincipalTag/x, '*'}"),
        ("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:order?"),
        ("lambda:TagResource", mapping),
        ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"),
        ("sqs:ListQueues", "*"),
    ):
        record.note(ROLE, action, resource)
    assert {call.action for call in record.of(ROLE)} == {
        "lambda:TagResource",
        "lambda:InvokeFunction",
        "sqs:ListQueues",
    }
