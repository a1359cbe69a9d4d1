"""DurableConfig of a new function and of an update."""

import pytest

from lampion.domain.durability import changed_durable_config, new_durable_config
from lampion.domain.errors import InvalidParameterValueException

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"


def test_history_is_kept_for_14_days_unless_said_otherwise() -> None:
    assert new_durable_config({"ExecutionTimeout": 60}) == {"ExecutionTimeout": 60, "RetentionPeriodInDays": 14}
    said = {"ExecutionTimeout": 60, "RetentionPeriodInDays": 3, "KMSKeyArn": KEY}
    assert new_durable_config(said) == said


def test_a_durable_function_needs_a_timeout() -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        new_durable_config({"RetentionPeriodInDays": 3})
    assert (
        caught.value.message == "You cannot create a function with a durable configuration without an executionTimeout"
    )


def test_an_update_changes_what_it_sends() -> None:
    present = {"ExecutionTimeout": 60, "RetentionPeriodInDays": 3, "KMSKeyArn": KEY}
    assert changed_durable_config(present, {"RetentionPeriodInDays": 5}) == {**present, "RetentionPeriodInDays": 5}
    cleared = changed_durable_config(present, {"KMSKeyArn": ""})
    assert cleared == {"ExecutionTimeout": 60, "RetentionPeriodInDays": 3}


def test_a_function_that_is_not_durable_stays_so() -> None:
    with pytest.raises(InvalidParameterValueException, match="You cannot add a durable configuration"):
        changed_durable_config(None, {"ExecutionTimeout": 60})
