from collections.abc import Mapping
from typing import Any

import pytest

from lampion.aws.operation import RequestContext, collect, operation

from .botocore_client import SERVICE

CONTEXT = RequestContext("123456789012", "us-east-1", "root", "request-1")


class Functions:
    def __init__(self, answer: str) -> None:
        self.answer = answer

    @operation("GetFunction")
    async def get_function(self, context: RequestContext, members: dict[str, Any]) -> Mapping[str, Any]:
        return {"answer": self.answer, "asked": members["FunctionName"], "by": context.principal}

    @property
    def costly(self) -> str:
        raise AssertionError("collecting reads no properties")

    async def not_an_operation(self) -> None:
        """Unmarked."""


class Special(Functions):
    @operation("ListFunctions")
    async def list_functions(self, context: RequestContext, members: dict[str, Any]) -> Mapping[str, Any]:
        return {}


async def test_marked_methods_become_handlers_bound_to_their_object():
    handlers = collect(SERVICE, [Functions("mine")])
    assert list(handlers) == ["GetFunction"]
    assert await handlers["GetFunction"](CONTEXT, {"FunctionName": "f"}) == {
        "answer": "mine",
        "asked": "f",
        "by": "root",
    }


def test_inherited_methods_count():
    assert sorted(collect(SERVICE, [Special("x")])) == ["GetFunction", "ListFunctions"]


def test_an_overridden_method_counts_only_if_it_is_marked_again():
    class Muted(Functions):
        async def get_function(self, context: RequestContext, members: dict[str, Any]) -> Mapping[str, Any]:
            return {}

    assert collect(SERVICE, [Muted("x")]) == {}


def test_two_handlers_of_one_operation_are_refused():
    with pytest.raises(ValueError, match="GetFunction, which has a handler already"):
        collect(SERVICE, [Functions("a"), Functions("b")])


def test_an_operation_that_the_model_does_not_have_is_refused():
    class Wrong:
        @operation("GetFunctoin")
        async def get_function(self, context: RequestContext, members: dict[str, Any]) -> Mapping[str, Any]:
            return {}

    with pytest.raises(ValueError, match="GetFunctoin, which lambda doesn't have"):
        collect(SERVICE, [Wrong()])
