"""GET /_lampion/metrics and /_lampion/metrics/<function>: what the caller's functions did since the server started."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

import msgspec

from lampion.console.view import Asked
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ResourceNotFoundException
from lampion.store.functions import Functions
from lampion.telemetry.metrics import Metrics, Observed, Series, Totals, summed


class MetricsView:
    """What `lampion metrics` shows."""

    path = re.compile(r"/_lampion/metrics(?:/([^/]{1,200}))?")
    methods: Mapping[str, int] = MappingProxyType({"GET": 0})

    def __init__(self, *, metrics: Metrics, functions: Functions) -> None:
        self._metrics = metrics
        self._functions = functions

    async def answer(self, asked: Asked) -> bytes:
        """`account` and, for each function that was asked for, its metrics and those of each of its resources.

        Raises ResourceNotFoundException for a function that neither exists nor ever did anything.
        """
        series = self._metrics.series(asked.account_id, asked.region)
        if asked.about:
            key = FunctionKey(asked.account_id, asked.region, unquote(asked.about))
            series = [one for one in series if one.key == key]
            if not series and await self._functions.get(key) is None:
                raise ResourceNotFoundException(f"Function not found: {key.arn}")
        account = self._metrics.account_executions(asked.account_id, asked.region)
        told: dict[str, Any] = {
            "account": {"ConcurrentExecutions": _observed(account.observed)},
            "functions": [self._function(key, list(own)) for key, own in groupby(series, key=lambda one: one.key)],
        }
        return msgspec.json.encode(told)

    def _function(self, key: FunctionKey, series: Iterable[Series]) -> dict[str, Any]:
        own = list(series)
        metrics = _told(summed(own))
        executions = self._metrics.executions(key).observed
        if executions.count:
            metrics["ConcurrentExecutions"] = _observed(executions)
        resources = [
            {"Resource": one.resource, "ExecutedVersion": one.version, "metrics": _told(one.totals)} for one in own
        ]
        return {"FunctionName": key.name, "metrics": metrics, "resources": resources}


def _told(totals: Totals) -> dict[str, Any]:
    """A count as its sum, a measure as CloudWatch's statistics."""
    measures = {name: _observed(observed) for name, observed in totals.measures.items()}
    return {**totals.counts, **measures}


def _observed(observed: Observed) -> dict[str, float]:
    return {
        "SampleCount": observed.count,
        "Sum": round(observed.total, 3),
        "Minimum": round(observed.minimum, 3),
        "Maximum": round(observed.maximum, 3),
    }
