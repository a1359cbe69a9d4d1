"""Which settings a source takes together, checked on all that a mapping is to be set to. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from lampion.domain import limits
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.event_source import SourceSpec
from lampion.domain.filter_pattern import is_pattern

_NEEDS: Final = {
    "OAUTHBEARER_SCOPE": frozenset(("OAUTHBEARER_AUTH",)),
    "OAUTHBEARER_AUDIENCE": frozenset(("OAUTHBEARER_AUTH", "IAM_OAUTHBEARER_AUTH")),
    "OAUTHBEARER_LOGICAL_CLUSTER": frozenset(("OAUTHBEARER_AUTH",)),
    "OAUTHBEARER_IDENTITY_POOL": frozenset(("OAUTHBEARER_AUTH",)),
    "IAM_OAUTHBEARER_AUTH": frozenset(("OAUTHBEARER_AUDIENCE",)),
}
"""Types of SourceAccessConfigurations that need one of some others beside them."""
_OF_ANOTHER_OAUTH: Final = frozenset(
    ("OAUTHBEARER_AUTH", "OAUTHBEARER_SCOPE", "OAUTHBEARER_LOGICAL_CLUSTER", "OAUTHBEARER_IDENTITY_POOL")
)
_WITHOUT_URI: Final = frozenset(("IAM_AUTH", "IAM_OAUTHBEARER_AUTH"))

Settings = Mapping[str, Any]


def check_settings(spec: SourceSpec, settings: Settings) -> None:
    """Raises InvalidParameterValueException for the first that the source doesn't take."""
    for check in _CHECKS:
        check(spec, settings)


def _check_batch(spec: SourceSpec, settings: Settings) -> None:
    window = settings.get("MaximumBatchingWindowInSeconds", 0)
    if window > 0 and not spec.has_batching_window:
        raise InvalidParameterValueException("Batching window is not supported for FIFO queues")
    most = spec.batch_size_without_window
    if most is not None and settings["BatchSize"] > most and window == 0:
        raise InvalidParameterValueException(
            f"Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than {most}"
        )


def _check_record_age(_: SourceSpec, settings: Settings) -> None:
    age = settings.get("MaximumRecordAgeInSeconds", -1)
    if age != -1 and not limits.RECORD_AGE_SECONDS_MIN <= age <= limits.RECORD_AGE_SECONDS_MAX:
        raise InvalidParameterValueException(
            f"MaximumRecordAgeInSeconds must be either -1 (forever) or between {limits.RECORD_AGE_SECONDS_MIN} "
            f"and {limits.RECORD_AGE_SECONDS_MAX} (inclusive)"
        )


def _check_filters(spec: SourceSpec, settings: Settings) -> None:
    filters = settings.get("FilterCriteria", {}).get("Filters", [])
    if len(filters) > limits.FILTERS_PER_EVENT_SOURCE:
        raise InvalidParameterValueException(
            f"The number of filters ({len(filters)}) exceeds the quota of {limits.FILTERS_PER_EVENT_SOURCE} filters "
            "for each event source mapping."
        )
    if not all(is_pattern(one.get("Pattern", ""), json_key=spec.json_filter_key) for one in filters):
        raise InvalidParameterValueException("Invalid filter pattern definition.")


def _check_destination(spec: SourceSpec, settings: Settings) -> None:
    destination = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination is None:
        return
    service = "kafka" if destination.startswith("kafka://") else destination.split(":")[2]
    if service not in spec.destinations or destination.endswith(".fifo"):
        raise InvalidParameterValueException(f"The destination ARN {destination} is invalid.")


def _check_access(spec: SourceSpec, settings: Settings) -> None:
    configurations = settings.get("SourceAccessConfigurations", [])
    types = {one.get("Type", "") for one in configurations}
    for one in configurations:
        _check_access_type(spec, one)
    for name in sorted(types & _NEEDS.keys()):
        if not types & _NEEDS[name]:
            raise _bad_access(f"{name} requires {' or '.join(sorted(_NEEDS[name]))}")
    if "IAM_OAUTHBEARER_AUTH" in types and types & _OF_ANOTHER_OAUTH:
        raise _bad_access(f"IAM_OAUTHBEARER_AUTH does not support {min(types & _OF_ANOTHER_OAUTH)}")
    if spec.required_access is not None and spec.required_access not in types:
        raise _bad_access(f"{spec.required_access} is required")


def _check_access_type(spec: SourceSpec, one: Mapping[str, Any]) -> None:
    kind = one.get("Type")
    if kind is None:
        raise _bad_access("Type is required")
    if kind not in spec.access_types:
        raise _bad_access(f"{kind} is not supported")
    if kind in _WITHOUT_URI and "URI" in one:
        raise _bad_access(f"{kind} takes no URI")
    if kind not in _WITHOUT_URI and "URI" not in one:
        raise _bad_access(f"{kind} requires a URI")


def _bad_access(why: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(
        f"Invalid SourceAccessConfigurations for given event source mapping type: {why}."
    )


def _check_pollers(spec: SourceSpec, settings: Settings) -> None:
    config, bounds = settings.get("ProvisionedPollerConfig"), spec.pollers
    if config is None or bounds is None:
        return
    least, most = config["MinimumPollers"], config["MaximumPollers"]
    for name, number, allowed in (
        ("MinimumPollers", least, bounds.minimum),
        ("MaximumPollers", most, bounds.maximum),
    ):
        if number not in allowed:
            raise InvalidParameterValueException(f"{name} must be between {allowed.least} and {allowed.most}.")
    if least > most:
        raise InvalidParameterValueException("MinimumPollers must be less than or equal to MaximumPollers.")
    if "PollerGroupName" in config and not bounds.groups:
        raise InvalidParameterValueException(
            "Unsupported PollerGroupName parameter for given event source mapping type."
        )
    if "ScalingConfig" in settings:
        raise InvalidParameterValueException("ProvisionedPollerConfig and ScalingConfig cannot be set together.")


def _check_schema_registry(spec: SourceSpec, settings: Settings) -> None:
    config = {} if spec.consumer_config is None else settings.get(spec.consumer_config, {})
    registry = config.get("SchemaRegistryConfig")
    if registry is None:
        return
    if "ProvisionedPollerConfig" not in settings:
        raise InvalidParameterValueException("SchemaRegistryConfig is only available with ProvisionedPollerConfig.")
    for member in ("SchemaRegistryURI", "EventRecordFormat", "SchemaValidationConfigs"):
        if not registry.get(member):
            raise InvalidParameterValueException(f"{member} is required for a SchemaRegistryConfig.")


def _check_share_group(spec: SourceSpec, settings: Settings) -> None:
    config = {} if spec.consumer_config is None else settings.get(spec.consumer_config, {})
    if config.get("ConsumptionMode") != "Queue":
        return
    for member in ("StartingPosition", "StartingPositionTimestamp", "MaximumBatchingWindowInSeconds"):
        if member in settings:
            raise InvalidParameterValueException(f"{member} is not supported when ConsumptionMode is Queue.")
    if settings.get("MaximumRetryAttempts") == -1:
        raise InvalidParameterValueException(
            "MaximumRetryAttempts must be between 0 and 10000 when ConsumptionMode is Queue."
        )


def _check_metrics(spec: SourceSpec, settings: Settings) -> None:
    for metric in settings.get("MetricsConfig", {}).get("Metrics", []):
        if metric not in spec.metrics:
            raise InvalidParameterValueException(f"Unsupported metric {metric} for given event source mapping type.")


def _check_database(_: SourceSpec, settings: Settings) -> None:
    if "DocumentDBEventSourceConfig" in settings and "DatabaseName" not in settings["DocumentDBEventSourceConfig"]:
        raise InvalidParameterValueException("DatabaseName is required for a DocumentDBEventSourceConfig.")


_CHECKS: Final[tuple[Callable[[SourceSpec, Settings], None], ...]] = (
    _check_batch,
    _check_record_age,
    _check_destination,
    _check_filters,
    _check_access,
    _check_pollers,
    _check_schema_registry,
    _check_share_group,
    _check_metrics,
    _check_database,
)
