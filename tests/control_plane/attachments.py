"""The same machine with what is configured on functions, versions and aliases: policies, URLs, tags and the like."""

import json
from typing import Any

from hypothesis import strategies as some
from hypothesis.stateful import invariant, rule

from tests.control_plane.machine import DOOMED, NAMES, ControlPlane
from tests.control_plane.model import LATEST, NOT_FOUND

QUALIFIERS = some.sampled_from([LATEST, "1", "2", "x", "y"])
URL_QUALIFIERS = some.sampled_from([LATEST, "x", "y"])
STATEMENTS = some.sampled_from(["s", "t"])
RESERVED = some.sampled_from([0, 5, 500, 900, 901])


class Attachments(ControlPlane):
    """Unqualified is `$LATEST` in the model, and no Qualifier on the wire."""

    @rule(name=NAMES, qualifier=QUALIFIERS, retries=some.integers(0, 2))
    def put_event_invoke_config(self, name: str, qualifier: str, retries: int) -> None:
        answer = self.plane.ask("PutFunctionEventInvokeConfig", **_named(name, qualifier), MaximumRetryAttempts=retries)
        self._agrees(answer, lambda: self.model.attach("retries", name, qualifier, retries, new=False))

    @rule(name=NAMES, qualifier=QUALIFIERS)
    def delete_event_invoke_config(self, name: str, qualifier: str) -> None:
        answer = self.plane.ask("DeleteFunctionEventInvokeConfig", **_named(name, qualifier))
        self._agrees(answer, lambda: self.model.detach("retries", name, qualifier))

    @rule(name=NAMES, qualifier=URL_QUALIFIERS, auth=some.sampled_from(["NONE", "AWS_IAM"]))
    def create_url(self, name: str, qualifier: str, auth: str) -> None:
        answer = self.plane.ask("CreateFunctionUrlConfig", **_named(name, qualifier), AuthType=auth)
        self._agrees(answer, lambda: self.model.attach("url", name, qualifier, auth, new=True))

    @rule(name=NAMES, qualifier=URL_QUALIFIERS)
    def delete_url(self, name: str, qualifier: str) -> None:
        answer = self.plane.ask("DeleteFunctionUrlConfig", **_named(name, qualifier))
        self._agrees(answer, lambda: self.model.detach("url", name, qualifier))

    @rule(name=NAMES, qualifier=QUALIFIERS, statement=STATEMENTS)
    def add_permission(self, name: str, qualifier: str, statement: str) -> None:
        answer = self.plane.ask(
            "AddPermission",
            **_named(name, qualifier),
            StatementId=statement,
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
        )
        self._agrees(answer, lambda: self.model.permit(name, qualifier, statement))

    @rule(name=NAMES, qualifier=QUALIFIERS, statement=STATEMENTS)
    def remove_permission(self, name: str, qualifier: str, statement: str) -> None:
        answer = self.plane.ask("RemovePermission", **_named(name, qualifier), StatementId=statement)
        self._agrees(answer, lambda: self.model.forbid(name, qualifier, statement))

    @rule(name=NAMES, key=STATEMENTS, value=some.sampled_from(["", "1"]))
    def tag(self, name: str, key: str, value: str) -> None:
        answer = self.plane.ask("TagResource", Resource=_arn(name), Tags={key: value})
        self._agrees(answer, lambda: self.model.tag(name, {key: value}, None))

    @rule(name=NAMES, key=STATEMENTS)
    def untag(self, name: str, key: str) -> None:
        answer = self.plane.ask("UntagResource", Resource=_arn(name), TagKeys=[key])
        self._agrees(answer, lambda: self.model.tag(name, {}, key))

    @rule(name=NAMES, executions=RESERVED)
    def reserve(self, name: str, executions: int) -> None:
        answer = self.plane.ask("PutFunctionConcurrency", FunctionName=name, ReservedConcurrentExecutions=executions)
        self._agrees(answer, lambda: self.model.reserve(name, executions))

    @rule(name=DOOMED)
    def unreserve(self, name: str) -> None:
        answer = self.plane.ask("DeleteFunctionConcurrency", FunctionName=name)
        self._agrees(answer, lambda: self.model.reserve(name, None))

    @invariant()
    def what_is_configured_is_as_the_model_has_it(self) -> None:
        for name, function in self.model.functions.items():
            shown = self.plane.ask("GetFunction", FunctionName=name).members
            assert (shown.get("Tags") or {}) == function.tags
            assert (shown.get("Concurrency") or {}).get("ReservedConcurrentExecutions") == function.reserved
            configs = self._walk(
                "ListFunctionEventInvokeConfigs", "FunctionEventInvokeConfigs", FunctionName=name, MaxItems=2
            )
            kept = {one["FunctionArn"].split(":", 7)[7]: one["MaximumRetryAttempts"] for one in configs}
            assert kept == self._attached(name, "retries")
            urls = self._walk("ListFunctionUrlConfigs", "FunctionUrlConfigs", FunctionName=name, MaxItems=2)
            auths = {(one["FunctionArn"].split(":", 7)[7:] or [LATEST])[0]: one["AuthType"] for one in urls}
            assert auths == self._attached(name, "url")
            for qualifier in (LATEST, *function.versions, *function.aliases):
                self._shows_policy(name, qualifier)

    @invariant()
    def the_account_adds_up(self) -> None:
        limits = self.plane.ask("GetAccountSettings").members["AccountLimit"]
        reserved = sum(function.reserved or 0 for function in self.model.functions.values())
        assert limits["UnreservedConcurrentExecutions"] == limits["ConcurrentExecutions"] - reserved

    def _shows_policy(self, name: str, qualifier: str) -> None:
        answer = self.plane.ask("GetPolicy", **_named(name, qualifier))
        statements = self.model.statements(name, qualifier)
        if not statements:
            assert answer.error == NOT_FOUND
        else:
            shown = json.loads(answer.members["Policy"])["Statement"]
            assert tuple(one["Sid"] for one in shown) == statements

    def _attached(self, name: str, kind: str) -> dict[str, object]:
        attached = self.model.functions[name].attached
        return {qualifier: value for (of, qualifier), value in attached.items() if of == kind}


def _named(name: str, qualifier: str) -> dict[str, Any]:
    return {"FunctionName": name, **({} if qualifier == LATEST else {"Qualifier": qualifier})}


def _arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
