"""Who may invoke a function by its URL: everybody or a caller who signed, as the function's policies have it. Pure.

Docs: Lambda developer guide, "Control access to Lambda function URLs". As of October 2025 a URL needs both permissions:
for the URL, and for the function by way of it.
"""

from collections.abc import Sequence
from typing import Final

from lampion.domain.function_url import FunctionUrlConfig
from lampion.identity.actors import Actor
from lampion.identity.evaluation import Request, evaluate
from lampion.identity.request_facts import Asking, Known
from lampion.identity.statements import Policy

NO_AUTH: Final = "NONE"

_PERMISSIONS: Final = (
    ("lambda:InvokeFunctionUrl", "lambda:functionurlauthtype"),
    ("lambda:InvokeFunction", "lambda:invokedviafunctionurl"),
)
"""What both must be allowed, each with the condition key that only it has."""


def is_allowed(config: FunctionUrlConfig, policies: Sequence[Policy], actor: Actor, asking: Asking) -> bool:
    """Whether the function's `policies` and the caller's own let him invoke."""
    of_url = {"lambda:functionurlauthtype": (config.auth_type,), "lambda:invokedviafunctionurl": ("true",)}
    those = actor.policies(policies, config.key.account_id)
    return all(
        evaluate(
            Request(
                caller=actor.caller,
                action=action,
                resource=config.arn,
                known=Known(asking, actor.known, {key: of_url[key]}),
            ),
            those,
        ).is_allowed
        for action, key in _PERMISSIONS
    )
