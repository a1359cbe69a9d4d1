"""All workloads by name, in the order in which a running system goes through them."""

from benchmarks.workloads.boto3_felt import BOTO3_FELT
from benchmarks.workloads.cold_first import COLD_FIRST
from benchmarks.workloads.warm_c1 import WARM_C1
from benchmarks.workloads.warm_c16 import WARM_C16

WORKLOADS = {workload.name: workload for workload in (WARM_C1, WARM_C16, BOTO3_FELT, COLD_FIRST)}
