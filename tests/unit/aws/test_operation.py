from collections.abc import Mapping
from typing import Any

import pytest

from lampion.aws.operation import Inspection, RequestContext, collect, inspection_of, operation
from lampion.domain.errors import InvalidRequestContentException

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


def refuse(body: bytes) -> None:
    raise InvalidRequestContentException(body.decode())


class Inspecting:
    @operation("Invoke", inspect=refuse)
    async def invoke(self, context: RequestContext, members: dict[str, Any]) -> Mapping[str, Any]:
        return {}


def test_what_an_inspection_finds_is_told_only_when_it_is_concluded():
    looked_at: list[bytes] = []
    sound = Inspection(looked_at.append, b"body")
    for step in (sound.take, sound.take, sound.conclude):
        step()
    assert looked_at == [b"body"]
    faulty = Inspection(refuse, b"fault")
    faulty.take()
    for inspection in (faulty, Inspection(refuse, b"fault")):
        with pytest.raises(InvalidRequestContentException, match="fault"):
            inspection.conclude()


def test_an_inspection_is_that_of_the_handler():
    handlers = collect(SERVICE, [Inspecting(), Functions("mine")])
    assert inspection_of(handlers["GetFunction"], b"body") is None
    assert inspection_of(None, b"body") is None
    made = inspection_of(handlers["Invoke"], b"body")
    assert made is not None
    with pytest.raises(InvalidRequestContentException, match="body"):
        made.conclude()
