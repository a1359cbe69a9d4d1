"""Layers: numbered versions of a zip that functions find under /opt, and what a function may name of them. Pure.

Shapes: LayerVersionsListItem, Layer (botocore `lambda` 2015-03-31). Limits: developer guide, "Lambda layers".
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lampion.domain import limits
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import AttachedLayer, DeploymentPackage

LAYERS_MAX: Final = 5
_AVAILABLE_BYTES: Final = limits.UNZIPPED_CODE_BYTES

_ARN = re.compile(
    r"arn:(?:aws[a-zA-Z-]*)?:lambda:(?P<region>[a-z0-9-]+):(?P<account_id>\d{12}):layer:(?P<name>[a-zA-Z0-9-_]+)"
    r"(?::(?P<number>[0-9]+))?"
)


@dataclass(frozen=True, slots=True)
class LayerKey:
    """Where a layer lives: every stored thing of it starts with these three."""

    account_id: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        """Of the layer, without a version."""
        return f"arn:aws:lambda:{self.region}:{self.account_id}:layer:{self.name}"

    def version_arn(self, number: int) -> str:
        return f"{self.arn}:{number}"


@dataclass(frozen=True, slots=True)
class LayerReference:
    """What a caller wrote where a layer or one of its versions is wanted."""

    key: LayerKey
    number: int | None

    @property
    def arn(self) -> str:
        return self.key.arn if self.number is None else self.key.version_arn(self.number)


def parse_layer_arn(text: str) -> LayerReference | None:
    """A layer's ARN taken apart; None for another text: a name, or AWS's own kind of layers without an account."""
    match = _ARN.fullmatch(text)
    if match is None:
        return None
    number = match["number"]
    return LayerReference(
        LayerKey(match["account_id"], match["region"], match["name"]), None if number is None else int(number)
    )


@dataclass(frozen=True, slots=True)
class Layer:
    """Counts the versions ever published, deleted ones too: a number is never given again."""

    key: LayerKey
    last_number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersion:
    """One version, for good. Lists are None where the publisher sent none, which AWS tells from an empty list."""

    key: LayerKey
    number: int
    package: DeploymentPackage
    created_epoch_ms: int
    description: str = ""
    compatible_runtimes: tuple[str, ...] | None = None
    compatible_architectures: tuple[str, ...] | None = None
    license_info: str | None = None

    @property
    def arn(self) -> str:
        return self.key.version_arn(self.number)

    def is_for(self, *, runtime: str | None, architecture: str | None) -> bool:
        """Whether it says that it is compatible; None asks for nothing."""
        return (runtime is None or runtime in (self.compatible_runtimes or ())) and (
            architecture is None or architecture in (self.compatible_architectures or ())
        )

    def attached(self) -> AttachedLayer:
        return AttachedLayer(arn=self.arn, package=self.package)


def check_number(number: int) -> None:
    """Raises InvalidParameterValueException for what no version is numbered."""
    if number < 1:
        raise InvalidParameterValueException("Layer Version Cannot be less than 1")


def check_layer_arns(arns: Sequence[str]) -> None:
    """Raises InvalidParameterValueException for lists that no function can have, whatever layers there are."""
    if len(arns) > LAYERS_MAX:
        raise InvalidParameterValueException(f"Cannot reference more than {LAYERS_MAX} layers.")
    seen: dict[LayerKey, str] = {}
    for arn in arns:
        reference = parse_layer_arn(arn)
        if reference is None:
            continue
        if reference.key in seen:
            raise InvalidParameterValueException(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{seen[reference.key]} and {arn} are versions of the same layer."
            )
        seen[reference.key] = arn


def check_unzipped_bytes(layers: Iterable[AttachedLayer], package_bytes: int) -> None:
    """Raises InvalidParameterValueException for layers, or layers and code, that are too large together."""
    layers_bytes = sum(layer.package.unzipped_bytes for layer in layers)
    if layers_bytes > _AVAILABLE_BYTES:
        raise InvalidParameterValueException(f"Layers consume more than the available size of {_AVAILABLE_BYTES} bytes")
    if layers_bytes and layers_bytes + package_bytes > _AVAILABLE_BYTES:
        raise InvalidParameterValueException(
            f"Function code combined with layers exceeds the maximum allowed size of {_AVAILABLE_BYTES} bytes. "
            f"The actual size is {layers_bytes + package_bytes} bytes."
        )


def no_such_version(arn: str) -> InvalidParameterValueException:
    """AWS's answer to a function that names what was never published, or was deleted."""
    return InvalidParameterValueException(f"Layer version {arn} does not exist.")


def other_region(region: str) -> InvalidParameterValueException:
    """AWS's answer to a function in `region` that names a layer of its account elsewhere."""
    return InvalidParameterValueException(
        f"Layers are not in the same region as the function. Layers are expected to be in region {region}."
    )
