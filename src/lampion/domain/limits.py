"""The quotas of AWS Lambda that Lampion keeps. Source: the Lambda developer guide, page "Lambda quotas"."""

from typing import Final

MIB: Final = 1024 * 1024

ZIPPED_CODE_BYTES: Final = 50 * MIB
UNZIPPED_CODE_BYTES: Final = 262_144_000
TOTAL_CODE_BYTES: Final = 75 * 1024 * MIB
ENVIRONMENT_BYTES: Final = 4096
POLICY_BYTES: Final = 20_480

UNRESERVED_CONCURRENCY_MIN: Final = 100
SCALING_BURST: Final = 1000  # environments of one function at once, and as many in each 10 seconds
SCALING_PER_SECOND: Final = 100
REQUESTS_PER_SECOND: Final = 10  # synchronous ones, for each unit of concurrency

SYNC_PAYLOAD_BYTES: Final = 6_291_456
EVENT_PAYLOAD_BYTES: Final = 1_048_576
ASYNC_PAYLOAD_BYTES: Final = 262_144  # of InvokeAsync, which never got more
SYNC_RESPONSE_BYTES: Final = 6_291_556
STREAMED_RESPONSE_BYTES: Final = 200 * MIB
CODE_REQUEST_BYTES: Final = 70_167_211
API_REQUEST_BYTES: Final = 6_291_456

MEMORY_MIB_MIN: Final = 128
MEMORY_MIB_MAX: Final = 10_240
MEMORY_MIB_DEFAULT: Final = 128
CAPACITY_MEMORY_MIB_MIN: Final = 2048  # of functions on capacity providers; also what they get by default
MEMORY_MIB_PER_CORE: Final = 1769

TIMEOUT_SECONDS_MAX: Final = 900
TIMEOUT_SECONDS_DEFAULT: Final = 3

EPHEMERAL_STORAGE_MIB_MIN: Final = 512
EPHEMERAL_STORAGE_MIB_MAX: Final = 10_240
EPHEMERAL_STORAGE_MIB_DEFAULT: Final = 512

INIT_SECONDS: Final = 10.0
AHEAD_INIT_SECONDS: Final = 130.0  # before a snapshot or as provisioned concurrency; or the timeout if that is longer
RESTORE_SECONDS: Final = 10.0
# Lambda developer guide, "Lambda Extensions API", "Shutdown phase".
INTERNAL_SHUTDOWN_SECONDS: Final = 0.5  # for a runtime with an internal extension
RUNTIME_SHUTDOWN_SECONDS: Final = 0.3  # for any other runtime beside an external one
EXTERNAL_SHUTDOWN_SECONDS: Final = 2.0  # for all together, when there are external extensions
LOG_TAIL_BYTES: Final = 4096
LIST_ITEMS_MAX: Final = 50
TAGS_MAX: Final = 50
EVENT_SOURCE_MAPPING_ITEMS_MAX: Final = 100
FILTERS_PER_EVENT_SOURCE: Final = 5
RECORD_AGE_SECONDS_MIN: Final = 60
RECORD_AGE_SECONDS_MAX: Final = 604_800
CODE_SIGNING_ITEMS_MAX: Final = 10_000  # API reference, ListCodeSigningConfigs


def init_seconds(timeout_seconds: float, *, is_ahead: bool) -> float:
    """How long an Init may take; one that is ahead of invocations as long as one of them, or longer.

    Developer guide, "Understanding the Lambda execution environment lifecycle".
    """
    return max(AHEAD_INIT_SECONDS, timeout_seconds) if is_ahead else INIT_SECONDS
