"""All workloads by name, in the order in which a running system goes through them."""

from benchmarks.workloads.async_drain import ASYNC_DRAIN
from benchmarks.workloads.async_durable import ASYNC_DURABLE
from benchmarks.workloads.boto3_felt import BOTO3_FELT
from benchmarks.workloads.cold_burst import COLD_BURST
from benchmarks.workloads.cold_first import COLD_FIRST
from benchmarks.workloads.cold_runtimes import COLD_RUNTIMES
from benchmarks.workloads.density import DENSITY
from benchmarks.workloads.payload_6mb import PAYLOAD_6MB
from benchmarks.workloads.stream_64mb import STREAM_64MB
from benchmarks.workloads.warm_c1 import WARM_C1
from benchmarks.workloads.warm_c16 import WARM_C16

_ALL = (
    WARM_C1,
    WARM_C16,
    BOTO3_FELT,
    COLD_FIRST,
    COLD_BURST,
    COLD_RUNTIMES,
    DENSITY,
    PAYLOAD_6MB,
    STREAM_64MB,
    ASYNC_DURABLE,
    ASYNC_DRAIN,
)
WORKLOADS = {workload.name: workload for workload in _ALL}
