"""Which requests must name a tenant, and what functions with tenant isolation can't have."""

from dataclasses import replace

import pytest

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import FunctionConfiguration
from lampion.domain.tenancy import check_shared, check_tenant
from tests.component.store.samples import function

PLAIN = function().configuration
ISOLATED = replace(PLAIN, tenancy_config={"TenantIsolationMode": "PER_TENANT"})


@pytest.mark.parametrize(
    ("configuration", "tenant_id", "refusal"),
    [
        (PLAIN, None, None),
        (ISOLATED, "blue", None),
        (
            PLAIN,
            "blue",
            "The invoked function is not enabled with tenancy configuration. "
            "Remove the tenant ID from your request and try again.",
        ),
        (
            ISOLATED,
            None,
            "The invoked function is enabled with tenancy configuration. "
            "Add a valid tenant ID in your request and try again.",
        ),
    ],
)
def test_a_tenant_is_named_where_there_are_some(
    configuration: FunctionConfiguration, tenant_id: str | None, refusal: str | None
) -> None:
    if refusal is None:
        check_tenant(configuration, tenant_id)
        return
    with pytest.raises(InvalidParameterValueException) as caught:
        check_tenant(configuration, tenant_id)
    assert caught.value.message == refusal


def test_what_has_no_tenant_is_refused() -> None:
    check_shared(PLAIN, "SnapStart")
    with pytest.raises(InvalidParameterValueException) as caught:
        check_shared(ISOLATED, "SnapStart")
    assert caught.value.message == "SnapStart is not supported for functions enabled with tenancy configuration."
