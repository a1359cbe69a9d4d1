"""Whatever a handler returns: the same JSON text, or the same complaint, as from AWS's own client."""

import collections
import importlib
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.component.python_runtime.runtime_process import RUNTIME

Pair = collections.namedtuple("Pair", ["left", "right"])

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.decimals()
    | st.binary(max_size=3)
    | st.just({1})
)
keys = (
    texts
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary(max_size=2)
    | st.decimals(allow_nan=False)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.builds(Pair, inner, inner)
        | st.dictionaries(keys, inner, max_size=4)
        | st.dictionaries(texts, inner, max_size=4).map(collections.OrderedDict)
    ),
    max_leaves=12,
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module", params=["AWS_Lambda_python3.11", "AWS_Lambda_python3.13"])
def codecs(request: pytest.FixtureRequest) -> Iterator[tuple[ModuleType, Any]]:
    """Our codec and AWS's encoder, for a runtime that escapes non-ASCII text and for one that doesn't."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_EXECUTION_ENV", request.param)
        patch.syspath_prepend(RUNTIME)
        marshaller = importlib.import_module("awslambdaric.lambda_runtime_marshaller").LambdaMarshaller()
        for name in ("_lampion_json", "_lampion_marshal"):
            sys.modules.pop(name, None)
        yield importlib.import_module("_lampion_json"), marshaller


@given(values)
@example(Decimal("-NaN"))
@example([Decimal("sNaN"), Decimal("1E-30"), float("-inf")])
@example({b"\xff": 1})
@example("\u2028\x7f\x00/")
def test_writing(codecs: tuple[ModuleType, Any], value: object) -> None:
    ours, theirs = codecs
    assert outcome(ours.dumps, value) == outcome(theirs.jsonEncoder.encode, value)


@given(documents, st.sampled_from([None, 2]), st.booleans())
def test_reading(codecs: tuple[ModuleType, Any], value: object, indent: int | None, ensure_ascii: bool) -> None:
    ours, theirs = codecs
    text = json.dumps(value, indent=indent, ensure_ascii=ensure_ascii).encode("utf-8", "replace")
    assert ours.loads(b" " + text + b"\n") == theirs.unmarshal_request(b" " + text + b"\n")


def outcome(encode: Any, value: object) -> tuple[str, str]:
    try:
        return "text", encode(value)
    except Exception as error:
        return type(error).__name__, str(error)
