"""How a function comes: as a zip or as a container image, where its code is, and what goes with which. Pure.

Texts are AWS's answers, recorded or published by those who got them (2026).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from lampion.domain import limits
from lampion.domain.errors import CodeStorageExceededException, InvalidParameterValueException
from lampion.domain.function import FunctionConfiguration

ZIP: Final = "Zip"
IMAGE: Final = "Image"

_S3_MEMBERS: Final = ("S3Bucket", "S3Key", "S3ObjectVersion", "S3ObjectStorageMode")
_NOT_BESIDE_A_ZIP: Final = (*_S3_MEMBERS, "ImageUri")


class CodeSource(StrEnum):
    """Where a request's code is to be taken from."""

    UPLOAD = "in the request"
    S3 = "in S3"
    IMAGE_REPOSITORY = "in an image repository"


def code_source(code: Mapping[str, Any], package_type: str) -> CodeSource:
    """The one place that FunctionCode's members name for a new function.

    Raises InvalidParameterValueException when they name none, or too much.
    """
    if package_type == IMAGE:
        if "S3ObjectStorageMode" in code:
            raise InvalidParameterValueException(
                "Do not include S3ObjectStorageMode when the function PackageType is Image."
            )
        if not code.get("ImageUri"):
            raise InvalidParameterValueException("ImageUri is required.")
    if "ZipFile" in code:
        if any(member in code for member in _NOT_BESIDE_A_ZIP):
            raise InvalidParameterValueException(
                "Please do not provide other FunctionCode parameters when providing a ZipFile."
            )
        return CodeSource.UPLOAD
    if package_type == IMAGE:
        return CodeSource.IMAGE_REPOSITORY
    if any(member in code for member in _S3_MEMBERS):
        if "S3Bucket" not in code or "S3Key" not in code:
            raise InvalidParameterValueException("S3 Bucket and Key are required for uploading with S3 parameters.")
        return CodeSource.S3
    raise InvalidParameterValueException("Please provide a source for function code.")


def updated_code_source(code: Mapping[str, Any], package_type: str) -> CodeSource:
    """The same for UpdateFunctionCode: a function stays the type of package that it was made as."""
    if package_type == ZIP and "ImageUri" in code:
        raise InvalidParameterValueException(
            "Please don't provide ImageUri when updating a function with packageType Zip."
        )
    if package_type == IMAGE and "ImageUri" not in code:
        raise InvalidParameterValueException("Please provide ImageUri when updating a function with packageType Image.")
    return code_source(code, package_type)


def check_storage(code_bytes: int) -> None:
    """Raises CodeStorageExceededException for more than an account may store in a region, all versions and layers."""
    if code_bytes > limits.TOTAL_CODE_BYTES:
        raise CodeStorageExceededException("Code storage limit exceeded.")


def check_packaging(configuration: FunctionConfiguration) -> None:
    """What a zip needs and an image doesn't have, and the reverse. Raises InvalidParameterValueException."""
    if configuration.package_type == IMAGE:
        if configuration.handler or configuration.runtime or configuration.layers:
            raise InvalidParameterValueException(
                "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
            )
        return
    if configuration.runtime is None or configuration.handler is None:
        raise InvalidParameterValueException(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    if configuration.image_config is not None:
        raise InvalidParameterValueException(
            "The ImageConfig parameter is not supported for functions created with deployment packages."
        )
