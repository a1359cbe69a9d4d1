"""Tenant isolation: which requests must name a tenant, and what functions with it can't have. Pure.

Source: the Lambda developer guide, page "Tenant isolation" and those below it.
"""

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import FunctionConfiguration


def check_tenant(configuration: FunctionConfiguration, tenant_id: str | None) -> None:
    """Each invocation of a function with tenant isolation is for one tenant; of others, for none.

    Raises InvalidParameterValueException. What a tenant id may look like is the model's affair.
    """
    if configuration.tenancy_config is None:
        if tenant_id is not None:
            raise InvalidParameterValueException(
                "The invoked function is not enabled with tenancy configuration. "
                "Remove the tenant ID from your request and try again."
            )
    elif tenant_id is None:
        raise InvalidParameterValueException(
            "The invoked function is enabled with tenancy configuration. "
            "Add a valid tenant ID in your request and try again."
        )


def check_shared(configuration: FunctionConfiguration, what: str) -> None:
    """Raises InvalidParameterValueException for `what` a function with tenant isolation can't have, for nobody could
    say there which tenant is meant. AWS has these words for SnapStart.
    """
    if configuration.tenancy_config is not None:
        raise InvalidParameterValueException(
            f"{what} is not supported for functions enabled with tenancy configuration."
        )
