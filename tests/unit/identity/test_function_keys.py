"""What Lambda keeps under keys of KMS: who may seal and open it, and what becomes of it when a key is of no use."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from lampion.domain.iam.identity import IdentityKind
from lampion.domain.key_problems import KeyProblem, KeyUnusable
from lampion.domain.kms.key import KeyState
from lampion.identity.function_keys import FunctionRole, function_context
from lampion.identity.key_access import Asked
from lampion.identity.statements import read_policy
from tests.identities import ACCOUNT, Session, allowing, identity, keep
from tests.kms_in_memory import OWNER, REGION, KmsInMemory

CONTEXT = function_context(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders")
OTHER = function_context(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:others")
ROLE = FunctionRole(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/service/orders-role", "orders")
SECRET = b"a secret that shows nowhere"
ROOT_MAY = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}
VIA = f"lambda.{REGION}.amazonaws.com"


@pytest.fixture
def kms(tmp_path: Path) -> KmsInMemory:
    return KmsInMemory(tmp_path)


def session(*documents: str) -> Any:
    actor = Session(f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", f"arn:aws:iam::{ACCOUNT}:role/r").actor
    return (
        actor
        if not documents
        else actor.__class__(
            caller=actor.caller,
            user_id=actor.user_id,
            identity=tuple(read_policy(json.loads(one)) for one in documents),
            known=actor.known,
        )
    )


@pytest.mark.parametrize("in_envelope", [False, True])
@pytest.mark.parametrize("is_own", [False, True], ids=["of the account", "Lambda's"])
async def test_what_is_sealed_comes_back_in_its_context_alone(
    kms: KmsInMemory, in_envelope: bool, is_own: bool
) -> None:
    arn = None if is_own else (await kms.key()).arn
    keys = kms.function_keys
    sealed = await keys.seal(arn, SECRET, CONTEXT, kms.root, OWNER, in_envelope=in_envelope)
    assert SECRET not in sealed
    assert await keys.open(sealed, CONTEXT, kms.root) == SECRET
    assert await keys.open(sealed, CONTEXT, None) == SECRET
    with pytest.raises(KeyUnusable):
        await keys.open(sealed, OTHER, kms.root)
    for position in range(len(sealed) - 40, len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(KeyUnusable):
            await keys.open(bytes(changed), CONTEXT, None)


async def test_who_may_not_neither_seals_nor_opens(kms: KmsInMemory) -> None:
    arn = (await kms.key()).arn
    sealed = await kms.function_keys.seal(arn, SECRET, CONTEXT, None, OWNER)
    stranger = kms.asker(session())
    with pytest.raises(KeyUnusable) as refused:
        await kms.function_keys.open(sealed, CONTEXT, stranger)
    assert refused.value.problem is KeyProblem.DENIED
    assert "is not authorized to perform: kms:Decrypt" in refused.value.said.message
    for in_envelope, action in ((False, "kms:Encrypt"), (True, "kms:GenerateDataKey")):
        with pytest.raises(KeyUnusable, match=f"is not authorized to perform: {action} on"):
            await kms.function_keys.seal(arn, SECRET, CONTEXT, stranger, OWNER, in_envelope=in_envelope)
        able = kms.asker(session(allowing(action)))
        made = await kms.function_keys.seal(arn, SECRET, CONTEXT, able, OWNER, in_envelope=in_envelope)
        assert await kms.function_keys.open(made, CONTEXT, None) == SECRET


async def test_policies_know_by_which_service_and_for_which_function_it_is(kms: KmsInMemory) -> None:
    def statement(**conditions: str) -> dict[str, Any]:
        return {**ROOT_MAY, "Condition": {"StringEquals": {f"kms:{key}": value for key, value in conditions.items()}}}

    context = {"EncryptionContext:aws:lambda:FunctionArn": CONTEXT["aws:lambda:FunctionArn"]}
    for conditions, may in (
        ({"ViaService": VIA, **context}, True),
        ({"ViaService": "s3.us-east-1.amazonaws.com"}, False),
        ({"EncryptionContext:aws:lambda:FunctionArn": OTHER["aws:lambda:FunctionArn"]}, False),
    ):
        arn = (await kms.key(statement(**conditions))).arn
        sealed = await kms.function_keys.seal(arn, SECRET, CONTEXT, None, OWNER)
        assert (await opened(kms, sealed, kms.root) == SECRET) is may


async def test_lambda_opens_in_the_role_of_a_function_by_grant_or_by_the_roles_policies(kms: KmsInMemory) -> None:
    key = await kms.key()
    sealed = await kms.function_keys.seal(key.arn, SECRET, CONTEXT, None, OWNER)
    assert await opened(kms, sealed, ROLE) is None
    await kms.grant(key, ROLE.arn, "Decrypt", equals=dict(CONTEXT))
    assert await opened(kms, sealed, ROLE) == SECRET
    for_other = await kms.function_keys.seal(key.arn, SECRET, OTHER, None, OWNER)
    with pytest.raises(KeyUnusable):
        await kms.function_keys.open(for_other, OTHER, ROLE)
    role = identity(IdentityKind.ROLE, "orders-role", allowing("kms:Decrypt", effect="Deny"), path="/service/")
    await keep(kms.resources, role)
    assert await opened(kms, sealed, ROLE) is None
    await keep(kms.resources, identity(IdentityKind.ROLE, "orders-role", allowing("kms:Decrypt"), path="/service/"))
    other_key = await kms.key()
    assert await opened(kms, await kms.function_keys.seal(other_key.arn, SECRET, CONTEXT, None, OWNER), ROLE) == SECRET


async def test_a_keys_policy_can_keep_lambda_out(kms: KmsInMemory) -> None:
    deny = {"Effect": "Deny", "Principal": {"AWS": ROLE.role_arn}, "Action": "kms:Decrypt", "Resource": "*"}
    key = await kms.key(ROOT_MAY, deny)
    await kms.grant(key, ROLE.arn, "Decrypt")
    sealed = await kms.function_keys.seal(key.arn, SECRET, CONTEXT, None, OWNER)
    assert await opened(kms, sealed, ROLE) is None


async def test_a_keys_policy_knows_the_role_also_of_one_that_is_not_in_iam(kms: KmsInMemory) -> None:
    may = {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
    condition = {"StringEquals": {"aws:PrincipalArn": ROLE.role_arn, "kms:CallerAccount": ACCOUNT}}
    key = await kms.key({**may, "Condition": condition})
    sealed = await kms.function_keys.seal(key.arn, SECRET, CONTEXT, None, OWNER)
    assert await opened(kms, sealed, ROLE) == SECRET
    assert await opened(kms, sealed, FunctionRole(ACCOUNT, f"{ROLE.role_arn}-other", "orders")) is None


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (KeyState.DISABLED, KeyProblem.DISABLED),
        (KeyState.PENDING_DELETION, KeyProblem.INVALID_STATE),
        (None, KeyProblem.NOT_FOUND),
    ],
)
async def test_a_key_that_is_of_no_use_is_told_by_its_problem(
    kms: KmsInMemory, state: KeyState | None, problem: KeyProblem
) -> None:
    key = await kms.key()
    sealed = await kms.function_keys.seal(key.arn, SECRET, CONTEXT, kms.root, OWNER)
    await (kms.delete(key) if state is None else kms.put_state(key, state))
    for asker in (kms.root, None):
        with pytest.raises(KeyUnusable) as refused:
            await kms.function_keys.open(sealed, CONTEXT, asker)
        assert refused.value.problem is problem
        with pytest.raises(KeyUnusable) as refused:
            await kms.function_keys.seal(key.arn, SECRET, CONTEXT, asker, OWNER)
        assert refused.value.problem is problem
    if state is not None:
        await kms.put_state(key, KeyState.ENABLED)
        assert await kms.function_keys.open(sealed, CONTEXT, None) == SECRET


async def test_what_can_be_no_key_is_not_found(kms: KmsInMemory) -> None:
    for arn in ("arn:aws:kms:us-east-1:123456789012:nokey", "arn:aws:kms:eu-west-1:123456789012:key/k"):
        with pytest.raises(KeyUnusable) as refused:
            await kms.function_keys.usable(arn, "CreateGrant", Asked(), kms.root, OWNER)
        assert refused.value.problem is KeyProblem.NOT_FOUND


async def test_who_may_not_use_the_keys_of_an_account_learns_not_which_there_are(kms: KmsInMemory) -> None:
    disabled = await kms.key()
    await kms.put_state(disabled, KeyState.DISABLED)
    absent, there = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{uuid4()}", (await kms.key()).arn
    told = []
    for arn in (absent, there, disabled.arn):
        with pytest.raises(KeyUnusable) as refused:
            await kms.function_keys.usable(arn, "Encrypt", Asked(context=CONTEXT), kms.asker(session()), OWNER)
        assert refused.value.problem is KeyProblem.DENIED
        told.append(refused.value.said.message.replace(arn, "it"))
    assert len(set(told)) == 1
    with pytest.raises(KeyUnusable) as refused:
        await kms.function_keys.usable(absent, "Encrypt", Asked(context=CONTEXT), kms.root, OWNER)
    assert refused.value.problem is KeyProblem.NOT_FOUND


async def test_a_role_of_another_path_has_not_the_policies_of_that_name(kms: KmsInMemory) -> None:
    sealed = await kms.function_keys.seal((await kms.key()).arn, SECRET, CONTEXT, None, OWNER)
    await keep(kms.resources, identity(IdentityKind.ROLE, "orders-role", allowing("kms:Decrypt"), path="/other/"))
    assert await opened(kms, sealed, ROLE) is None


async def test_a_keys_policy_knows_that_a_service_asks(kms: KmsInMemory) -> None:
    for via, may in (("true", True), ("false", False)):
        arn = (await kms.key({**ROOT_MAY, "Condition": {"Bool": {"aws:ViaAWSService": via}}})).arn
        sealed = await kms.function_keys.seal(arn, SECRET, CONTEXT, None, OWNER)
        assert (await opened(kms, sealed, kms.root) == SECRET) is may
        try:
            await kms.function_keys.usable(arn, "CreateGrant", Asked(), kms.root, OWNER)
        except KeyUnusable:
            assert not may
        else:
            assert may


async def test_nobody_makes_lambdas_key_in_another_account_by_naming_it(kms: KmsInMemory) -> None:
    other = "210987654321"
    with pytest.raises(KeyUnusable):
        await kms.function_keys.usable(
            f"arn:aws:kms:{REGION}:{other}:alias/aws/lambda", "Encrypt", Asked(context=CONTEXT), kms.root, OWNER
        )
    assert await kms.keys.all(other, REGION) == []


async def opened(kms: KmsInMemory, sealed: bytes, asker: Any) -> bytes | None:
    try:
        return await kms.function_keys.open(sealed, CONTEXT, asker)
    except KeyUnusable as unusable:
        return None if _is_denial(unusable) else b"another problem"


def _is_denial(unusable: KeyUnusable) -> bool:
    return unusable.problem is KeyProblem.DENIED and SECRET.decode() not in str(unusable)


DENIED_FOR_LAMBDA = {"Effect": "Deny", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "kms:Decrypt"}


async def test_lambda_itself_needs_no_permission_but_can_be_denied(kms: KmsInMemory) -> None:
    of_others = {"StringEquals": {"kms:EncryptionContext:aws:lambda:FunctionArn": "arn:aws:lambda:of-others"}}
    denials: dict[str, list[dict[str, Any]]] = {"denied": [{}], "others": [{"Condition": of_others}], "none": []}
    open_to: dict[str, bytes] = {}
    for name, conditions in denials.items():
        key = await kms.key(ROOT_MAY, *({**DENIED_FOR_LAMBDA, "Resource": "*", **one} for one in conditions))
        open_to[name] = await kms.function_keys.seal(key.arn, SECRET, CONTEXT, kms.root, OWNER)
    assert await kms.function_keys.open(open_to["others"], CONTEXT, None) == SECRET
    assert await kms.function_keys.open(open_to["none"], CONTEXT, None) == SECRET
    with pytest.raises(KeyUnusable, match="with an explicit deny in a resource-based policy") as refused:
        await kms.function_keys.open(open_to["denied"], CONTEXT, None)
    assert refused.value.problem is KeyProblem.DENIED
    assert await kms.function_keys.open(open_to["denied"], CONTEXT, kms.root) == SECRET
