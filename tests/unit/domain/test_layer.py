"""Layers: how they are named and numbered, what lists show of them, and what a function may have of them."""

from dataclasses import replace

import pytest

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import AttachedLayer, DeploymentPackage, layer_code, layers_name
from lampion.domain.layer import (
    LayerKey,
    LayerReference,
    LayerVersion,
    check_layer_arns,
    check_number,
    check_unzipped_bytes,
    parse_layer_arn,
)
from tests.component.store.samples import function

KEY = LayerKey("123456789012", "us-east-1", "lib")
ARN = "arn:aws:lambda:us-east-1:123456789012:layer:lib"
MOST = 262_144_000


def attached(sha256: str = "a", unzipped_bytes: int = 1) -> AttachedLayer:
    return AttachedLayer(arn=f"{ARN}-{sha256}:1", package=DeploymentPackage(sha256, "=", 1, unzipped_bytes))


def version(**changes: object) -> LayerVersion:
    made = LayerVersion(key=KEY, number=3, package=DeploymentPackage("a", "=", 1, 2), created_epoch_ms=0)
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        (ARN, LayerReference(KEY, None)),
        (f"{ARN}:7", LayerReference(KEY, 7)),
        (f"{ARN}:0", LayerReference(KEY, 0)),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:layer:a_b-1:2",
         LayerReference(LayerKey("123456789012", "cn-north-1", "a_b-1"), 2)),
        ("lib", None),
        ("arn:aws:lambda:::awslayer:AmazonLinux1803", None),
        (f"{ARN}:7:8", None),
        ("arn:aws:lambda:us-east-1:123456789012:function:lib", None),
    ],
)  # fmt: skip
def test_arns_are_taken_apart(text: str, reference: LayerReference | None) -> None:
    assert parse_layer_arn(text) == reference


def test_a_reference_is_written_as_an_arn() -> None:
    assert (LayerReference(KEY, None).arn, LayerReference(KEY, 7).arn) == (ARN, f"{ARN}:7")


def test_what_a_version_hands_to_a_function() -> None:
    assert version().arn == f"{ARN}:3"
    assert version().attached() == AttachedLayer(arn=f"{ARN}:3", package=version().package)


@pytest.mark.parametrize(
    ("runtimes", "architectures", "runtime", "architecture", "is_for"),
    [
        (None, None, None, None, True),
        (None, None, "python3.12", None, False),
        (("python3.12",), None, "python3.12", None, True),
        (("python3.12",), None, "python3.13", None, False),
        (("python3.12",), None, "python3.12", "arm64", False),
        (("python3.12",), ("arm64",), "python3.12", "arm64", True),
        ((), (), None, "x86_64", False),
        (None, ("arm64", "x86_64"), None, "x86_64", True),
    ],
)
def test_a_version_is_for_what_it_names(
    runtimes: tuple[str, ...] | None,
    architectures: tuple[str, ...] | None,
    runtime: str | None,
    architecture: str | None,
    is_for: bool,
) -> None:
    one = version(compatible_runtimes=runtimes, compatible_architectures=architectures)
    assert one.is_for(runtime=runtime, architecture=architecture) is is_for


def test_numbers_begin_at_one() -> None:
    check_number(1)
    for number in (0, -1):
        with pytest.raises(InvalidParameterValueException, match="Layer Version Cannot be less than 1"):
            check_number(number)


def test_five_layers_are_allowed_and_each_once() -> None:
    check_layer_arns([f"{ARN}-{number}:1" for number in range(5)])
    other = [f"{ARN}:1", "arn:aws:lambda:us-east-1:210987654321:layer:lib:2"]
    check_layer_arns([*other, "arn:aws:lambda:eu-west-1:123456789012:layer:lib:1"])
    with pytest.raises(InvalidParameterValueException, match=r"^Cannot reference more than 5 layers\.$"):
        check_layer_arns([f"{ARN}-{number}:1" for number in range(6)])


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1), (1, 1)])
def test_two_versions_of_a_layer_are_refused(first: int, second: int) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_layer_arns([f"{ARN}:{first}", f"{ARN}-other:1", f"{ARN}:{second}"])
    assert caught.value.message == (
        "Two different versions of the same layer are not allowed to be referenced in the same function. "
        f"{ARN}:{first} and {ARN}:{second} are versions of the same layer."
    )


def test_layers_and_code_share_what_is_available() -> None:
    check_unzipped_bytes([attached(unzipped_bytes=MOST - 10)], 10)
    check_unzipped_bytes([attached("a", MOST - 1), attached("b", 1)], 0)
    check_unzipped_bytes([], MOST)
    with pytest.raises(InvalidParameterValueException) as caught:
        check_unzipped_bytes([attached("a", MOST), attached("b", 1)], 5)
    assert caught.value.message == "Layers consume more than the available size of 262144000 bytes"
    with pytest.raises(InvalidParameterValueException) as caught:
        check_unzipped_bytes([attached(unzipped_bytes=MOST - 10)], 11)
    assert caught.value.message == (
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
        "The actual size is 262144001 bytes."
    )


def test_merged_layers_are_named_by_what_they_are_and_their_order() -> None:
    one, two = attached("a" * 64), attached("b" * 64)
    assert layers_name([]) is None
    names = [layers_name(layers) for layers in ([one], [two], [one, two], [two, one])]
    assert len(set(names)) == 4
    assert layers_name([replace(one, arn="another")]) == names[0]
    assert all(name is not None and len(name) == 64 and name != one.package.sha256 for name in names)


def test_a_function_s_code_is_its_package_its_layers_and_what_they_are_merged_to() -> None:
    layers = (attached("a" * 64), attached("b" * 64))
    plain = function()
    layered = replace(plain, configuration=replace(plain.configuration, layers=layers))
    assert layer_code(plain.configuration.layers) == ()
    assert plain.code_in_use == {plain.package.sha256}
    assert layer_code(layers) == ("a" * 64, "b" * 64, layers_name(layers))
    assert layered.code_in_use == {plain.package.sha256, *layer_code(layers)}
