"""Every operation of the model has one handler that a test proves, or a reason to answer 501 by its name."""

import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from lampion.aws.model import load_service
from scripts.reference_pages import offered_operations
from tests.conformance.bad_requests.valid import Texts, asked_rightly
from tests.witness import Witness, rows

ROOT = Path(__file__).resolve().parents[2]
MODELLED = set(load_service("lambda").operations)
OFFERED = [name for _, name in offered_operations()]


def test_every_operation_has_one_handler_or_a_reason_for_having_none() -> None:
    assert len(MODELLED) == 91
    assert len(OFFERED) == len(set(OFFERED))
    assert set(OFFERED) | set(rows().later) == MODELLED
    assert set(OFFERED) & set(rows().later) == set()


def test_every_handler_has_a_test_that_proves_it() -> None:
    assert set(rows().proofs) == set(OFFERED)


@pytest.mark.parametrize("operation", sorted(rows().later))
def test_what_is_not_built_says_so_by_name(lambda_client: Any, operation: str) -> None:
    model = lambda_client.meta.service_model.operation_model(operation)
    members = asked_rightly(model, Texts(Random(1)), {"": {"FunctionName": "some"}})
    with pytest.raises(ClientError) as caught:
        getattr(lambda_client, xform_name(operation))(**members)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert operation in answer["Error"]["Message"]


def test_a_row_is_wrong_when_its_test_failed_or_was_not_answered() -> None:
    witness = Witness(
        passed={"good", "elsewhere"}, ran={"good", "elsewhere", "failed"}, answered={"good": {"A"}, "failed": {"A"}}
    )
    assert witness.complaints({"A": "good"}) == []
    assert witness.complaints({"A": "did not run"}) == []
    assert witness.complaints({"A": "failed"}) == ["A: failed did not pass"]
    assert witness.complaints({"A": "elsewhere"}) == ["A: elsewhere was given no answer of it"]


def test_servers_for_other_programmes_need_no_pytest() -> None:
    """The escape suite runs as an ordinary user with nothing but the server's own dependencies."""
    programmes = "tests.live_server, tests.deployment, tests.escape.product, tests.escape.run"
    code = f"import sys; sys.modules['pytest'] = None; import {programmes}"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
