"""What a boto3 call that must fail was refused with."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


def refused(call: Any, **arguments: Any) -> tuple[str, str]:
    """Code and message of the error."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def refusal(call: Any, **arguments: Any) -> tuple[int, str, str]:
    """HTTP status, code and message of the error."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]
