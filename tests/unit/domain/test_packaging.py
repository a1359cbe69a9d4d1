"""Zip or image: where code comes from, and what goes with which, with AWS's words."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import FunctionConfiguration, LoggingConfig
from lampion.domain.packaging import CodeSource, check_packaging, code_source, updated_code_source

ZIPPED = FunctionConfiguration(
    role="arn:aws:iam::123456789012:role/role",
    runtime="python3.12",
    handler="a.b",
    logging=LoggingConfig("/aws/lambda/f"),
)
IMAGE = replace(ZIPPED, package_type="Image", runtime=None, handler=None)
IN_S3 = {"S3Bucket": "bucket", "S3Key": "key"}
TOO_MUCH = "Please do not provide other FunctionCode parameters when providing a ZipFile."
NOTHING = "Please provide a source for function code."
HALF = "S3 Bucket and Key are required for uploading with S3 parameters."


@pytest.mark.parametrize(
    ("code", "package_type", "expected"),
    [
        ({"ZipFile": b""}, "Zip", CodeSource.UPLOAD),
        ({"ZipFile": b"x", "SourceKMSKeyArn": "arn:aws:kms:x"}, "Zip", CodeSource.UPLOAD),
        (IN_S3, "Zip", CodeSource.S3),
        ({**IN_S3, "S3ObjectVersion": "1", "S3ObjectStorageMode": "REFERENCE"}, "Zip", CodeSource.S3),
        ({"ImageUri": "image"}, "Image", CodeSource.IMAGE_REPOSITORY),
    ],
)
def test_the_one_source_of_code(code: dict[str, Any], package_type: str, expected: CodeSource) -> None:
    assert code_source(code, package_type) is expected
    assert updated_code_source(code, package_type) is expected


@pytest.mark.parametrize(
    ("code", "package_type", "created", "updated"),
    [
        ({}, "Zip", NOTHING, NOTHING),
        ({"SourceKMSKeyArn": "arn:aws:kms:x"}, "Zip", NOTHING, NOTHING),
        (
            {"ImageUri": "image"},
            "Zip",
            NOTHING,
            "Please don't provide ImageUri when updating a function with packageType Zip.",
        ),
        *(
            ({"ZipFile": b"x", member: "x"}, "Zip", TOO_MUCH, TOO_MUCH)
            for member in ("S3Bucket", "S3Key", "S3ObjectVersion", "S3ObjectStorageMode")
        ),
        *(({member: "x"}, "Zip", HALF, HALF) for member in ("S3Bucket", "S3Key", "S3ObjectVersion")),
        (
            IN_S3,
            "Image",
            "ImageUri is required.",
            "Please provide ImageUri when updating a function with packageType Image.",
        ),
        ({"ImageUri": "image", "ZipFile": b"x"}, "Image", TOO_MUCH, TOO_MUCH),
        *(
            (
                {"ImageUri": "image", "S3ObjectStorageMode": mode},
                "Image",
                "Do not include S3ObjectStorageMode when the function PackageType is Image.",
                "Do not include S3ObjectStorageMode when the function PackageType is Image.",
            )
            for mode in ("COPY", "REFERENCE")
        ),
    ],
)
def test_sources_that_are_refused(code: dict[str, Any], package_type: str, created: str, updated: str) -> None:
    for check, message in ((code_source, created), (updated_code_source, updated)):
        with pytest.raises(InvalidParameterValueException) as caught:
            check(code, package_type)
        assert caught.value.message == message


def test_a_zip_file_beside_an_image_is_too_much_for_a_new_zip_function() -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        code_source({"ZipFile": b"x", "ImageUri": "image"}, "Zip")
    assert caught.value.message == TOO_MUCH


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        (
            replace(ZIPPED, runtime=None),
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ),
        (
            replace(ZIPPED, handler=None),
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ),
        (
            replace(ZIPPED, image_config={"Command": ["a"]}),
            "The ImageConfig parameter is not supported for functions created with deployment packages.",
        ),
        *(
            (
                replace(IMAGE, **change),
                "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
            )
            for change in ({"runtime": "python3.12"}, {"handler": "a.b"}, {"layers": ("arn",)})
        ),
    ],
)
def test_what_goes_with_neither(configuration: FunctionConfiguration, message: str) -> None:
    check_packaging(ZIPPED)
    check_packaging(replace(IMAGE, image_config={"Command": ["a"]}))
    with pytest.raises(InvalidParameterValueException) as caught:
        check_packaging(configuration)
    assert caught.value.message == message
