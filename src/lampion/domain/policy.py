"""The resource-based policy of a function, a version or an alias: who may do what with it. Pure.

Docs: Lambda developer guide, "Working with resource-based policies in Lambda". Evaluating a policy is not done here.
"""

from dataclasses import dataclass, field, replace

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function_rules import revision_mismatch
from lampion.domain.policy_document import check_size, condition_keys, statement_missing, statement_taken
from lampion.domain.policy_grammar import VERSION, Document, Statement, document_text, texts
from lampion.domain.principal import principal_of

_NARROWING_KEYS = frozenset(
    (
        *("aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:userid"),
        *("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner"),
        *("aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "lambda:functionurlauthtype"),
    )
)
"""Condition keys by which a statement for everybody isn't one, or says that it means it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`qualifier` names the version or alias it is attached to, None the function itself.

    `document` is a whole policy document; its `Statement` is a list, empty only before the first is added.
    """

    key: FunctionKey
    qualifier: str | None
    document: Document
    revision_id: str

    @property
    def arn(self) -> str:
        """Of what the policy is attached to."""
        return self.key.arn if self.qualifier is None else self.key.qualified_arn(self.qualifier)

    @property
    def statements(self) -> list[Statement]:
        return list(self.document["Statement"])

    @property
    def text(self) -> str:
        """The document as the API shows it."""
        return document_text(self.document)


def no_policy(key: FunctionKey, qualifier: str | None) -> Policy:
    """What the first permission is added to."""
    return Policy(
        key=key,
        qualifier=qualifier,
        document={"Version": VERSION, "Id": "default", "Statement": []},
        revision_id="",
    )


def check_attachable(qualifier: str | None) -> None:
    """Raises InvalidParameterValueException for $LATEST: what the function allows holds for it."""
    if qualifier == LATEST:
        raise InvalidParameterValueException("We currently do not support adding policies for $LATEST.")


def check_policy_revision(given: str | None, *accepted: str, shown_by: str) -> None:
    """Raises PreconditionFailedException unless the caller's RevisionId, if it sent one, is one of `accepted`.

    An empty one is none: it's what a policy has that isn't there yet.
    """
    if given is not None and given not in filter(None, accepted):
        raise revision_mismatch(shown_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One statement as AddPermission asks for it."""

    statement_id: str
    action: str
    principal: str
    source_arn: str | None = None
    source_account: str | None = None
    principal_org_id: str | None = None
    event_source_token: str | None = field(default=None, repr=False)
    function_url_auth_type: str | None = None
    invoked_via_function_url: bool | None = None


def statement_of(permission: Permission, arn: str) -> Statement:
    """The statement that grants `permission` on the function, version or alias of `arn`.

    Raises InvalidParameterValueException for a principal that names nobody, or an authentication type of an action that
    has none.
    """
    principal = principal_of(permission.principal)
    if permission.function_url_auth_type is not None and permission.action != "lambda:InvokeFunctionUrl":
        raise InvalidParameterValueException(
            "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"
        )
    statement: Statement = {
        "Sid": permission.statement_id,
        "Effect": "Allow",
        "Principal": principal,
        "Action": permission.action,
        "Resource": arn,
    }
    condition = _condition(permission)
    return {**statement, "Condition": condition} if condition else statement


def _condition(permission: Permission) -> dict[str, dict[str, str]]:
    via_url = permission.invoked_via_function_url
    tests: dict[str, dict[str, str | None]] = {
        "StringEquals": {
            "AWS:SourceAccount": permission.source_account,
            "aws:PrincipalOrgID": permission.principal_org_id,
            "lambda:EventSourceToken": permission.event_source_token,
            "lambda:FunctionUrlAuthType": permission.function_url_auth_type,
        },
        "ArnLike": {"AWS:SourceArn": permission.source_arn},
        "Bool": {"lambda:InvokedViaFunctionUrl": None if via_url is None else str(via_url).lower()},
    }
    given = {
        operator: {key: value for key, value in values.items() if value is not None}
        for operator, values in tests.items()
    }
    return {operator: values for operator, values in given.items() if values}


def check_policy(policy: Policy) -> None:
    """Raises PolicyLengthExceededException, InvalidParameterValueException for what no policy may be."""
    check_size(policy.text)
    if any(_opens_urls_to_all(statement) for statement in policy.statements):
        raise InvalidParameterValueException(
            "This policy could enable public access to your lambda function as it allows all Principals (*) to perform "
            "lambda:InvokeFunctionUrl action. You must specify lambda:FunctionUrlAuthType condition if intend to "
            "enable public access"
        )


def _opens_urls_to_all(statement: Statement) -> bool:
    """By an oversight, as AWS sees it: whoever means it names the authentication type of the URL."""
    actions = {action.lower() for action in texts(statement.get("Action", []))}
    if statement["Effect"] != "Allow" or "lambda:invokefunctionurl" not in actions:
        return False
    principal = statement.get("Principal", {})
    is_for_all = principal == "*" or (isinstance(principal, dict) and "*" in texts(principal.get("AWS", [])))
    return is_for_all and _NARROWING_KEYS.isdisjoint(condition_keys(statement))


def added(policy: Policy, permission: Permission, *, revision_id: str) -> Policy:
    """The policy with one statement more.

    Raises ResourceConflictException for a statement id that is taken, and as statement_of and check_policy.
    """
    statement = statement_of(permission, policy.arn)
    before = policy.statements
    if any(one.get("Sid") == permission.statement_id for one in before):
        raise statement_taken(permission.statement_id)
    document = {**policy.document, "Statement": [*before, statement]}
    after = replace(policy, document=document, revision_id=revision_id)
    check_policy(after)
    return after


def removed(policy: Policy, statement_id: str, *, revision_id: str) -> Policy | None:
    """The policy without one statement; None when that was the last. Raises ResourceNotFoundException."""
    rest = [statement for statement in policy.statements if statement.get("Sid") != statement_id]
    if len(rest) == len(policy.statements):
        raise statement_missing(statement_id)
    if not rest:
        return None
    return replace(policy, document={**policy.document, "Statement": rest}, revision_id=revision_id)
