"""Every case of the catalogue through routing, parsing and validation alone: all operations, built or not."""

from collections import Counter
from dataclasses import replace

import pytest

from lampion.aws.errors import serialize_error
from lampion.aws.model import load_service
from lampion.aws.parser import parse
from lampion.aws.router import Router
from lampion.aws.validator import validate
from lampion.domain.errors import ApiError
from tests.conformance.bad_requests.case import Case, Expect
from tests.conformance.bad_requests.catalogue import Catalogue, service_model
from tests.conformance.bad_requests.oracle import Answer, complaints

_SEED = 20150331
_SERVICE = load_service("lambda")
_UNKNOWN = {"x-amzn-errortype": "UnknownOperation", "content-type": "application/json", "x-amzn-requestid": "id"}
_ROUTER = Router(_SERVICE)
_CATALOGUE = Catalogue(known={}, seed=_SEED)


def _answer(case: Case) -> Answer:
    """What the wire layer says to the case; 200 when it would pass it on to the operation."""
    path, _, query = case.request.target.partition("?")
    match = _ROUTER.match(case.request.method, path, query)
    if match is None:
        return Answer(404, _UNKNOWN, b'{"message":"?"}')
    as_read = {name: value.encode("utf-8", "surrogatepass").decode("latin-1") for name, value in case.request.headers}
    headers = {name.lower(): value for name, value in as_read.items()}
    try:
        validate(match.operation, parse(match.operation, match.labels, query, headers, case.request.body))
    except ApiError as error:
        answer = serialize_error(_SERVICE, error, "id")
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers}, answer.body)
    return Answer(200)


@pytest.mark.parametrize("operation", service_model().operation_names)
def test_every_constraint_of_an_operation_holds_at_its_edge_and_breaks_beyond(operation: str) -> None:
    wrong, seen = [], Counter[Expect]()
    for case in _CATALOGUE.cases(operation):
        answer = _answer(case)
        seen[case.expect] += 1
        unanswered = replace(case, operation="")  # what the operation itself would answer isn't judged here
        wrong += [f"{case}\n    {answer}\n    {complaint}" for complaint in complaints(unanswered, answer)]
        if case.expect is Expect.VIOLATION and answer.code != "ValidationException":
            wrong.append(f"{case}\n    {answer}\n    must be a ValidationException")
    assert seen.total() > 1
    assert not wrong, f"{len(wrong)} of {seen.total()} wrong:\n" + "\n".join(wrong[:20])


def test_the_catalogue_covers_every_operation_and_is_the_same_for_the_same_seed() -> None:
    def all_cases() -> list[Case]:
        catalogue = Catalogue(known={}, seed=_SEED)
        return [case for name in catalogue.model.operation_names for case in catalogue.cases(name)]

    cases = all_cases()
    assert {case.operation for case in cases} == set(service_model().operation_names)
    assert len(cases) > 15_000
    assert cases == all_cases()
    expectations = Counter(case.expect for case in cases)
    assert all(expectations[expect] > 1000 for expect in Expect)
