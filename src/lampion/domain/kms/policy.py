"""Key policies: the documents that say who may do what with a key. Pure.

Docs: KMS developer guide, "Key policies in AWS KMS", "Default key policy".
"""

import json
import re
from typing import Any, Final

from lampion.domain.kms.errors import LimitExceededException, MalformedPolicyDocumentException
from lampion.domain.policy_grammar import Dialect, MalformedPolicy, parse
from lampion.domain.principal import is_principal

NAME: Final = "default"
"""Of the one policy that each key has."""
BYTES_MAX: Final = 32_768

_ACTION: Final = re.compile(r"\*|kms:[a-z*?]+", re.IGNORECASE | re.ASCII)
_RESOURCE: Final = re.compile(r"\*|arn:[^:]*:[^:]*:.*", re.DOTALL)
_PRINCIPALS: Final = "Policy contains a statement with one or more invalid principals."
_LAMBDAS_SID: Final = (
    "Allow access through AWS Lambda for all principals in the account that are authorized to use AWS Lambda"
)


def check_policy(text: str) -> None:
    """Raises MalformedPolicyDocumentException, LimitExceededException."""
    if len(text.encode()) > BYTES_MAX:
        raise LimitExceededException(f"The policy is larger than {BYTES_MAX} bytes.")
    dialect = Dialect(check_action=_check_action, check_principal=_check_principal, check_resource=_check_resource)
    try:
        parse(text, dialect)
    except MalformedPolicy as error:
        raise MalformedPolicyDocumentException(str(error)) from None


def locked_out() -> MalformedPolicyDocumentException:
    return MalformedPolicyDocumentException(
        "The new key policy will not allow you to update the key policy in the future."
    )


def default_policy(account_id: str) -> str:
    """The account may everything, and its own policies say who in it does."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return _text("key-default-1", statement)


def lambdas_policy(account_id: str, region: str) -> str:
    """Of Lambda's own key in an account: all may use it through Lambda, and look at it; nobody may change it."""
    through = {"kms:ViaService": f"lambda.{region}.amazonaws.com", "kms:CallerAccount": account_id}
    uses = ("Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*", "CreateGrant", "DescribeKey")
    use = {
        "Sid": _LAMBDAS_SID,
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"kms:{one}" for one in uses],
        "Resource": "*",
        "Condition": {"StringEquals": through},
    }
    look = {
        "Sid": "Allow direct access to key metadata to the account",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        "Resource": "*",
    }
    return _text("auto-awslambda", use, look)


def _text(policy_id: str, *statements: dict[str, Any]) -> str:
    """As AWS writes its own."""
    document = {"Version": "2012-10-17", "Id": policy_id, "Statement": list(statements)}
    return json.dumps(document, indent=2, separators=(",", " : "))


def _check_action(action: str) -> None:
    if not _ACTION.fullmatch(action):
        raise MalformedPolicy("Policy contains a statement with one or more invalid actions.")


def _check_resource(resource: str) -> None:
    if not _RESOURCE.fullmatch(resource):
        raise MalformedPolicy("Policy contains a statement with one or more invalid resources.")


def _check_principal(element: Any) -> None:
    if element == "*":
        return
    if not isinstance(element, dict) or not element:
        raise MalformedPolicy(_PRINCIPALS)
    for kind, named in element.items():
        those = [named] if isinstance(named, str) else named
        if not isinstance(those, list) or not those:
            raise MalformedPolicy(_PRINCIPALS)
        if not all(isinstance(one, str) and is_principal(kind, one) for one in those):
            raise MalformedPolicy(_PRINCIPALS)
