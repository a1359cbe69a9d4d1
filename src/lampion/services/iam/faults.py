"""How IAM says that a request breaks the model's constraints: of names, in a sentence of its own.

Published: the answer to AttachRolePolicy with a role's ARN for its name, shashankprasanna/torchserve-examples, issue 7.
"""

from collections.abc import Sequence
from typing import Final

from lampion.aws.errors import ValidationException
from lampion.aws.validator import Fault, refusal

_OF_NAMES: Final = r": [\w+=,.@-]+"
_ALLOWED: Final = "It must contain only alphanumeric characters and/or the following: +=,.@_-"


def invalid(faults: Sequence[Fault]) -> ValidationException:
    """Characters of a name go before everything else that is wrong, its length as well."""
    for fault in faults:
        if fault.constraint.endswith(_OF_NAMES):
            return ValidationException(f"The specified value for {fault.at} is invalid. {_ALLOWED}")
    return refusal(faults)
