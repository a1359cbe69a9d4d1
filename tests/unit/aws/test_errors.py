import inspect
import json

import pytest

import lampion.domain.errors as domain_errors
from lampion.aws import errors as wire_errors
from lampion.aws.errors import (
    InternalFailure,
    OperationNotImplementedException,
    SerializationException,
    UnknownOperationException,
    ValidationException,
    WireError,
    serialize_error,
)
from lampion.domain.errors import (
    ApiError,
    CallerError,
    InvalidParameterValueException,
    PlatformError,
    ResourceConflictException,
    ResourceNotFoundException,
    ServiceException,
    TooManyRequestsException,
)

from .botocore_client import SERVICE, read_by_botocore


def classes_of(module: object, base: type[ApiError]) -> list[type[ApiError]]:
    found = [item for _, item in inspect.getmembers(module, inspect.isclass) if issubclass(item, base)]
    return [item for item in found if item not in {ApiError, CallerError, PlatformError, WireError}]


@pytest.mark.parametrize("error", classes_of(domain_errors, ApiError), ids=lambda error: error.__name__)
def test_every_domain_error_is_in_the_model_and_botocore_reads_it(error: type[ApiError]):
    shape = SERVICE.error(error.__name__)
    assert shape is not None, "an error of the domain is an error shape of the model"
    answer = serialize_error(SERVICE, error("what happened"), "request-1")
    assert answer.status == shape.error_status
    read = read_by_botocore(answer, "GetFunction")
    assert read["Error"] == {"Code": error.__name__, "Message": "what happened"}
    assert read["Type"] == error.fault.value
    assert read["ResponseMetadata"]["RequestId"] == "request-1"


@pytest.mark.parametrize("error", classes_of(wire_errors, WireError), ids=lambda error: error.__name__)
def test_every_error_of_the_wire_is_outside_the_model_and_botocore_reads_it(error: type[WireError]):
    assert SERVICE.error(error.__name__) is None
    answer = serialize_error(SERVICE, error("what happened"), "request-1")
    assert answer.status == error.status
    assert ("x-amzn-ErrorType", error.__name__) in answer.headers
    assert read_by_botocore(answer, "GetFunction")["Error"] == {"Code": error.__name__, "Message": "what happened"}


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (ResourceNotFoundException("m"), 404, {"Type": "User", "Message": "m"}),
        (ResourceNotFoundException("m", Type=""), 404, {"Message": "m"}),
        (InvalidParameterValueException("m"), 400, {"Type": "User", "message": "m"}),
        (InvalidParameterValueException("m", Type=""), 400, {"message": "m"}),
        (ResourceConflictException("m"), 409, {"Type": "User", "message": "m"}),
        (ServiceException("m"), 500, {"Type": "Server", "Message": "m"}),
        (
            TooManyRequestsException("m", Reason="CallerRateLimitExceeded"),
            429,
            {"Reason": "CallerRateLimitExceeded", "Type": "User", "message": "m"},
        ),
        (ValidationException("m"), 400, {"message": "m"}),
        (SerializationException("m"), 400, {"Message": "m"}),
        (UnknownOperationException("m"), 404, {"message": "m"}),
        (OperationNotImplementedException("m"), 501, {"message": "m"}),
        (InternalFailure("m"), 500, {"message": "m"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bodies_and_statuses(error: ApiError, status: int, body: dict[str, str]):
    answer = serialize_error(SERVICE, error, "r")
    assert answer.status == status
    assert json.loads(answer.body) == body


def test_a_header_member_of_an_error_travels_as_a_header():
    answer = serialize_error(SERVICE, TooManyRequestsException("m", retryAfterSeconds="2"), "r")
    assert ("Retry-After", "2") in answer.headers
    assert json.loads(answer.body) == {"Type": "User", "message": "m"}


class UnheardOfException(CallerError):
    """In no model."""


class BrokenException(PlatformError):
    """In no model."""


@pytest.mark.parametrize(("error", "status"), [(UnheardOfException("m"), 400), (BrokenException("m"), 500)])
def test_an_error_that_no_model_knows_still_gets_an_answer(error: ApiError, status: int):
    answer = serialize_error(SERVICE, error, "r")
    assert (answer.status, json.loads(answer.body)) == (status, {"message": "m"})
