"""All workloads by name, in the order in which a running system goes through them."""

from benchmarks.workloads.boto3_felt import BOTO3_FELT
from benchmarks.workloads.cold_burst import COLD_BURST
from benchmarks.workloads.cold_first import COLD_FIRST
from benchmarks.workloads.density import DENSITY
from benchmarks.workloads.warm_c1 import WARM_C1
from benchmarks.workloads.warm_c16 import WARM_C16

_ALL = (WARM_C1, WARM_C16, BOTO3_FELT, COLD_FIRST, COLD_BURST, DENSITY)
WORKLOADS = {workload.name: workload for workload in _ALL}
