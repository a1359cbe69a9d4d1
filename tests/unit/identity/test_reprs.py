"""What holds a secret doesn't show it: whatever is logged, in a traceback or in a debugger's list."""

import pytest

from lampion.aws.sigv4 import Claim
from lampion.aws.sigv4_parts import SignatureParts
from lampion.domain.arn import FunctionKey
from lampion.domain.function import DeploymentPackage, Function, FunctionConfiguration, LoggingConfig
from lampion.domain.iam.access_key import UserKey
from lampion.domain.policy import Permission
from lampion.endpoints.services import Credentials
from lampion.environments.environ import SessionCredentials
from lampion.environments.lent_keys import credentials_of
from lampion.environments.session import OfferedCredentials
from lampion.http.message import Request, RequestHead, Response
from lampion.identity.master_key import MasterKey
from lampion.identity.session_keys import SessionKey
from lampion.identity.temporary_keys import TemporaryKey
from lampion.registry.tokens import RegistryTokens
from lampion.sandbox.spec import Companions, Limits, SandboxSpec
from lampion.store.access_keys import AccessKey

SECRET = "the-secret-that-nobody-sees-000!"
HEAD = RequestHead("GET", "/x", f"X-Amz-Security-Token={SECRET}", {"authorization": SECRET}, 0)
CONFIGURATION = FunctionConfiguration(role="r", logging=LoggingConfig("g"), environment={"A": SECRET})
SESSION = SessionKey("id", SECRET, SECRET, "123456789012", "role", "name", 0.0)
SPEC = SandboxSpec(
    sandbox_id="s",
    argv=("x",),
    environ={"A": SECRET},
    working_directory="/",
    mounts=(),
    limits=Limits(memory_mib=128, cpu_cores=1),
    companions=Companions(("p",), {"A": SECRET}),
)
HOLDERS = [
    AccessKey("id", SECRET, "123456789012", True),
    UserKey(account_id="1", access_key_id="id", secret_access_key=SECRET, user_id="u", created_epoch_seconds=1),
    SESSION,
    TemporaryKey("id", SECRET, SECRET),
    credentials_of(SESSION),
    SessionCredentials("id", SECRET, SECRET),
    OfferedCredentials(SECRET, lambda: (SessionCredentials("id", SECRET, SECRET), 1.0)),
    Credentials("id", SECRET, SECRET),
    MasterKey(SECRET.encode()),
    RegistryTokens(SECRET.encode()),
    Claim("id", "scope", "t", SECRET, SECRET.encode(), None, SECRET),
    SignatureParts("id", "host", SECRET, None, None, [("a", SECRET)], SECRET),
    HEAD,
    Request(HEAD, SECRET.encode()),
    Response(200, SECRET.encode(), {"a": SECRET}),
    CONFIGURATION,
    Function(
        key=FunctionKey("1", "r", "f"),
        configuration=CONFIGURATION,
        package=DeploymentPackage("a", "b", 1),
        revision_id="r",
        last_modified_epoch_ms=0,
    ),
    Permission(statement_id="s", action="a", principal="p", event_source_token=SECRET),
    SPEC,
]


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda one: type(one).__name__)
def test_none_shows_it(holder: object) -> None:
    assert SECRET not in repr(holder)
    assert SECRET not in f"{holder} {[holder]}"
