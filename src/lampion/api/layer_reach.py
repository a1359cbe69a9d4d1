"""Which layers a caller reaches: by name, by ARN, in its own account or by another one's permission. Shared by all that
name layers."""

from collections.abc import Sequence

from lampion.aws.operation import RequestContext
from lampion.domain.errors import resource_missing
from lampion.domain.function import AttachedLayer
from lampion.domain.layer import LayerKey, LayerReference, LayerVersion, no_such_version, other_region, parse_layer_arn
from lampion.invoke.qualifier import not_allowed
from lampion.store.layers import LAYER_POLICIES, LAYER_VERSIONS, layer_version_place
from lampion.store.resources import Stored

_USE = "GetLayerVersion"
"""IAM's word for using a version, too: the only action that a layer's policy can allow."""


def named_layer(text: str, context: RequestContext) -> LayerKey:
    """The layer that a name or an ARN (LayerNameOrArn) means to the caller."""
    reference = parse_layer_arn(text)
    return LayerKey(context.account_id, context.region, text) if reference is None else reference.key


def own_layer(text: str, context: RequestContext, action: str, number: int | None = None) -> LayerKey:
    """`named_layer`, for what only the layer's own account may do. `action` is IAM's word for it.

    Raises AccessDeniedException for another account's, ResourceNotFoundException for another region's.
    """
    key = named_layer(text, context)
    if key.account_id != context.account_id:
        raise not_allowed(LayerReference(key, number).arn, context, action)
    if key.region != context.region:
        raise resource_missing()
    return key


def readable_version(stored: Stored, reference: LayerReference, context: RequestContext) -> LayerVersion:
    """For who wants to see it. Raises AccessDeniedException, ResourceNotFoundException."""
    _check_access(stored, reference, context)
    version = None if reference.key.region != context.region else _find(stored, reference)
    if version is None:
        raise resource_missing()
    return version


def attachable_layers(stored: Stored, arns: Sequence[str], context: RequestContext) -> tuple[AttachedLayer, ...]:
    """For a function that names them. Raises AccessDeniedException, InvalidParameterValueException."""
    return tuple(_attachable(stored, arn, context) for arn in arns)


def check_attached(stored: Stored, layers: Sequence[AttachedLayer]) -> None:
    """Raises InvalidParameterValueException when one was deleted since it was found attachable."""
    for layer in layers:
        reference = parse_layer_arn(layer.arn)
        if reference is None or _find(stored, reference) is None:
            raise no_such_version(layer.arn)


def _attachable(stored: Stored, arn: str, context: RequestContext) -> AttachedLayer:
    reference = parse_layer_arn(arn)
    if reference is None:
        raise no_such_version(arn)
    _check_access(stored, reference, context)
    if reference.key.region != context.region:
        raise other_region(context.region)
    version = _find(stored, reference)
    if version is None:
        raise no_such_version(arn)
    return version.attached()


def _check_access(stored: Stored, reference: LayerReference, context: RequestContext) -> None:
    """A region knows only its own policies: to another account, a layer elsewhere looks like one it may not use."""
    key, number = reference.key, reference.number
    if key.account_id == context.account_id:
        return
    policy = None
    if number is not None and key.region == context.region:
        policy = stored.get(LAYER_POLICIES, layer_version_place(key, number))
    if policy is None or not policy.allows(context.account_id):
        raise not_allowed(reference.arn, context, _USE)


def _find(stored: Stored, reference: LayerReference) -> LayerVersion | None:
    if reference.number is None:
        return None
    return stored.get(LAYER_VERSIONS, layer_version_place(reference.key, reference.number))
