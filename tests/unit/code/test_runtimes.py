"""The catalogue agrees with the model and with what AWS was recorded to say."""

from datetime import date

import botocore.session
import pytest

from lampion.clock.virtual import VirtualClock
from lampion.code.runtimes import Runtimes, catalogue, check_runtime, runtime_version_arn, runtime_version_label
from lampion.domain.errors import InvalidParameterValueException
from tests.component.store.samples import function

TODAY = date(2026, 11, 21)

# test_lambda_api: TestLambdaFunction::test_update_lambda_exceptions, invalid_runtime_exc
LISTED = (
    "[nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, "
    "python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, "
    "java11, dotnet6, nodejs18.x, provided.al2, java8.al2]"
)


class Versions:
    def known_version(self, runtime: str) -> str | None:
        return {"python3.12": "3.12.7"}.get(runtime)


def test_it_holds_every_runtime_of_the_model_and_no_other():
    model = botocore.session.get_session().get_service_model("lambda")
    assert set(catalogue().runtimes) == set(model.shape_for("Runtime").enum)
    assert len(catalogue().runtimes) == 52


def test_every_row_is_consistent():
    for runtime in catalogue().runtimes.values():
        dates = (runtime.deprecation, runtime.block_create, runtime.block_update)
        assert all(dates) or not any(dates), runtime
        if runtime.block_create is not None and runtime.block_update is not None:
            assert runtime.block_create <= runtime.block_update, runtime
    assert set(catalogue().listed_by_aws) < set(catalogue().runtimes)


@pytest.mark.parametrize("name", ["non-existent-runtime", "PYTHON3.9", "", "python3.12 ", "arn:aws:lambda:x"])
def test_an_unknown_runtime_is_refused_in_awss_words(name: str):
    with pytest.raises(InvalidParameterValueException) as refused:
        check_runtime(name, TODAY)
    assert refused.value.message == (
        f"Value {name} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: {LISTED} "
        "or be a valid ARN"
    )


# test_lambda_api: TestRuntimeValidation::test_create_deprecated_function_runtime_with_validation_enabled
@pytest.mark.parametrize(
    "name",
    ["java8", "go1.x", "provided", "ruby2.7", "nodejs14.x", "python3.7", "dotnetcore3.1", "nodejs12.x", "nodejs"],
)
def test_a_runtime_past_its_day_is_refused_in_awss_words(name: str):
    with pytest.raises(InvalidParameterValueException) as refused:
        check_runtime(name, TODAY)
    assert refused.value.message == (
        f"The runtime parameter of {name} is no longer supported for creating or updating AWS Lambda functions. "
        "We recommend you use a supported runtime while creating or updating functions."
    )


def test_what_aws_lists_is_accepted():
    for name in catalogue().listed_by_aws:
        check_runtime(name, TODAY)


def test_updates_are_blocked_later_than_creations():
    check_runtime("python3.8", date(2027, 1, 31))
    with pytest.raises(InvalidParameterValueException):
        check_runtime("python3.8", date(2027, 2, 1))
    check_runtime("python3.8", date(2027, 3, 2), is_update=True)
    with pytest.raises(InvalidParameterValueException):
        check_runtime("python3.8", date(2027, 3, 3), is_update=True)


def test_a_function_without_a_runtime_is_never_blocked():
    Runtimes(VirtualClock(), Versions()).check(None, is_update=True)


def test_a_runtime_without_a_date_is_never_blocked():
    check_runtime("python3.15", date(2099, 1, 1))


def test_the_version_arn_depends_on_what_really_runs():
    arn = runtime_version_arn("python3.12", "x86_64", "3.12.7", region="eu-west-1")
    assert arn.startswith("arn:aws:lambda:eu-west-1::runtime:")
    assert len(arn.rpartition(":")[2]) == 64
    assert arn == runtime_version_arn("python3.12", "x86_64", "3.12.7", region="eu-west-1")
    others = [("python3.13", "x86_64", "3.12.7"), ("python3.12", "arm64", "3.12.7"), ("python3.12", "x86_64", "3.12.8")]
    assert arn not in {runtime_version_arn(*other, region="eu-west-1") for other in others}


@pytest.mark.parametrize(
    ("runtime", "version", "label"),
    [
        ("python3.12", "3.12.7", "python:3.12.v7"),
        ("python3.15", "3.15.0a2", "python:3.15.v0a2"),
        ("python3.9", "3.9", "python:3.9.v0"),
        ("nodejs22.x", "22.11.0", "nodejs:22.v11.0"),
        ("python3.12", "3.13.1", "python:3.13.v1"),
        ("nodejs22.x", "24.1.0", "nodejs:24.v1.0"),
    ],
)
def test_the_label_of_init_start_names_the_interpreter(runtime: str, version: str, label: str):
    assert runtime_version_label(runtime, version) == label


def test_the_api_sees_the_catalogue_through_the_clock_and_the_machine():
    runtimes = Runtimes(VirtualClock(epoch=1_795_200_000.0), Versions())
    runtimes.check("python3.12")
    runtimes.check("python3.8")
    with pytest.raises(InvalidParameterValueException):
        Runtimes(VirtualClock(epoch=1_803_000_000.0), Versions()).check("python3.8")
    assert runtimes.version_arn(function()) == runtime_version_arn("python3.12", "x86_64", "3.12.7", region="us-east-1")
    assert runtimes.version_label("python3.12") == "python:3.12.v7"
