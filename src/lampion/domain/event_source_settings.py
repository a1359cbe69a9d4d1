"""The settings of an event source mapping: from what a request says to what is kept, and whether a source takes it.

Pure. The shapes' own limits are checked before, from the model; what is checked here takes more than one member, or
depends on the source. Docs: API_CreateEventSourceMapping and the page of each source (see event_sources).
"""

from collections.abc import Mapping
from typing import Any, Final

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.event_source import SourceSpec
from lampion.domain.event_source_checks import check_settings

Settings = dict[str, Any]

_NOT_SETTINGS: Final = frozenset(
    ("UUID", "FunctionName", "Enabled", "Tags", "EventSourceArn", "SelfManagedEventSource")
)
_VIRTUAL_HOST: Final = "VIRTUAL_HOST"


def created_settings(spec: SourceSpec, given: Mapping[str, Any], *, uuid: str, now_seconds: float) -> Settings:
    """What a new mapping is set to. Raises InvalidParameterValueException."""
    _check_members(spec, given)
    for member in spec.required:
        if not given.get(member):
            raise missing(member)
    _check_position(spec, given, now_seconds)
    settings: Settings = {**spec.defaults}
    _apply(spec, settings, given)
    if spec.consumer_config is not None:
        settings[spec.consumer_config] = {"ConsumerGroupId": uuid, **settings.get(spec.consumer_config, {})}
        _apply_consumption_mode(settings[spec.consumer_config], settings, given)
    if "DocumentDBEventSourceConfig" in settings:
        settings["DocumentDBEventSourceConfig"] = {
            "FullDocument": "Default",
            **settings["DocumentDBEventSourceConfig"],
        }
    check_settings(spec, settings)
    return settings


def updated_settings(spec: SourceSpec, before: Mapping[str, Any], given: Mapping[str, Any]) -> Settings:
    """What a mapping is set to after an update. Raises InvalidParameterValueException."""
    _check_members(spec, given)
    settings: Settings = {**before}
    changes = dict(given)
    if spec.consumer_config in changes:
        changes[spec.consumer_config] = _updated_consumer(spec.consumer_config, before, changes[spec.consumer_config])
    if "SourceAccessConfigurations" in changes:
        changes["SourceAccessConfigurations"] = _updated_access(before, changes["SourceAccessConfigurations"])
    if "DocumentDBEventSourceConfig" in changes:
        kept = before.get("DocumentDBEventSourceConfig", {})
        changes["DocumentDBEventSourceConfig"] = {**kept, **changes["DocumentDBEventSourceConfig"]}
    _apply(spec, settings, changes)
    check_settings(spec, settings)
    return settings


def missing(member: str) -> InvalidParameterValueException:
    """AWS's answer when a source needs a member that the model doesn't require."""
    return InvalidParameterValueException(
        f"1 validation error detected: Value null at '{camel_case(member)}' failed to satisfy constraint: "
        "Member must not be null."
    )


def unsupported(spec: SourceSpec, member: str) -> InvalidParameterValueException:
    """AWS's answer for a member that the source doesn't take."""
    words = spec.refusals.get(member, spec.unsupported)
    return InvalidParameterValueException(words.format(member=member, camel_case=camel_case(member)))


def camel_case(member: str) -> str:
    """StartingPosition -> startingPosition: how AWS's messages name members."""
    return member[:1].lower() + member[1:]


def _check_members(spec: SourceSpec, given: Mapping[str, Any]) -> None:
    for member in given:
        if member not in spec.members:
            raise unsupported(spec, member)
    if "OnSuccess" in given.get("DestinationConfig", {}):
        raise unsupported(spec, "DestinationConfig")
    on_failure = given.get("DestinationConfig", {}).get("OnFailure")
    if on_failure is not None and on_failure.get("Destination") is None:
        raise InvalidParameterValueException("The Destination field is required for an OnFailure configuration.")


def _check_position(spec: SourceSpec, given: Mapping[str, Any], now_seconds: float) -> None:
    position, timestamp = given.get("StartingPosition"), given.get("StartingPositionTimestamp")
    if position is not None and position not in spec.starting_positions:
        raise InvalidParameterValueException(
            f"Unsupported starting position for arn type: {given.get('EventSourceArn')}"
        )
    if position == "AT_TIMESTAMP" and timestamp is None:
        raise InvalidParameterValueException("Need to specify a timestamp")
    if timestamp is None:
        return
    if position != "AT_TIMESTAMP":
        raise InvalidParameterValueException(
            "StartingPositionTimestamp is only supported when StartingPosition is AT_TIMESTAMP."
        )
    if timestamp > now_seconds:
        raise InvalidParameterValueException("StartingPositionTimestamp cannot be in the future.")


def _apply(spec: SourceSpec, settings: Settings, given: Mapping[str, Any]) -> None:
    """Set what is given; a value that stands for none takes the setting back to its default, or away."""
    for member, value in given.items():
        if member in _NOT_SETTINGS:
            continue
        if not _is_none(member, value):
            settings[member] = _with_pollers(spec, value) if member == "ProvisionedPollerConfig" else value
        elif member in spec.defaults:
            settings[member] = spec.defaults[member]
        else:
            settings.pop(member, None)


def _is_none(member: str, value: Any) -> bool:
    """Whether a value takes a setting away, as an empty one does."""
    match member:
        case "FilterCriteria":
            return not value.get("Filters")
        case "MetricsConfig":
            return not value.get("Metrics")
        case "DestinationConfig":
            return not value.get("OnFailure", {}).get("Destination")
        case "KMSKeyArn" | "ScalingConfig" | "ProvisionedPollerConfig" | "LoggingConfig" | "SourceAccessConfigurations":
            return not value
    return False


def _with_pollers(spec: SourceSpec, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A number of pollers that isn't said is the source's default."""
    assert spec.pollers is not None
    return {
        "MinimumPollers": spec.pollers.default_minimum,
        "MaximumPollers": spec.pollers.default_maximum,
        **config,
    }


def _apply_consumption_mode(config: Mapping[str, Any], settings: Settings, given: Mapping[str, Any]) -> None:
    """The defaults of a share group (Queue): it has no positions, and doesn't repeat a failed record by itself."""
    if config.get("ConsumptionMode") == "Queue":
        if "StartingPosition" not in given:
            settings.pop("StartingPosition", None)
        settings.setdefault("MaximumRetryAttempts", 0)


def _updated_consumer(member: str, before: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Only the schema registry can change; an empty SchemaRegistryConfig takes it away, none leaves it."""
    for fixed in ("ConsumerGroupId", "ConsumptionMode"):
        if fixed in given:
            raise InvalidParameterValueException(
                f"Unsupported '{camel_case(member)}.{camel_case(fixed)}' parameter for given event source mapping type."
            )
    kept = {name: value for name, value in before.get(member, {}).items() if name != "SchemaRegistryConfig"}
    registry = given.get("SchemaRegistryConfig", before.get(member, {}).get("SchemaRegistryConfig"))
    return {**kept, "SchemaRegistryConfig": registry} if registry else kept


def _updated_access(before: Mapping[str, Any], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The virtual host of a RabbitMQ broker stays: it can't be named in an update."""
    if any(one.get("Type") == _VIRTUAL_HOST for one in given):
        raise InvalidParameterValueException(
            "VIRTUAL_HOST cannot be specified in an UpdateEventSourceMapping API call."
        )
    return given + [one for one in before.get("SourceAccessConfigurations", []) if one.get("Type") == _VIRTUAL_HOST]
