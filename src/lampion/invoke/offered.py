"""Which kinds of functions can be invoked here, whichever way the request came."""

from lampion.aws.errors import not_built
from lampion.domain.function import Function


def check_offered(function: Function) -> None:
    """Raises OperationNotImplementedException for a function that takes another way than there is yet."""
    configuration = function.configuration
    if configuration.durable_config is not None:
        raise not_built("Invoke of a durable function")
    if configuration.capacity_provider_config is not None:
        raise not_built("Invoke of a function on a capacity provider")
