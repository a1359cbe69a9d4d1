"""Metrics are kept by function, qualifier and version, summed on request, and bounded in number."""

from lampion.domain.arn import FunctionKey
from lampion.telemetry.metrics import Metrics, Observed, Totals, summed

ACCOUNT, REGION = "123456789012", "us-east-1"
ONE, TWO = FunctionKey(ACCOUNT, REGION, "one"), FunctionKey(ACCOUNT, REGION, "two")


def test_each_function_qualifier_and_version_has_its_own_series() -> None:
    metrics = Metrics()
    metrics.of(ONE, None, "$LATEST").count("Invocations")
    metrics.of(ONE, None, "$LATEST").count("Invocations", 2)
    metrics.of(ONE, "live", "3").count("Invocations")
    metrics.of(ONE, "live", "4").count("Errors")
    metrics.of(TWO, None, "$LATEST").count("Throttles")
    metrics.of(FunctionKey("210987654321", REGION, "one"), None, "$LATEST").count("Invocations", 9)
    metrics.of(FunctionKey(ACCOUNT, "eu-west-1", "one"), None, "$LATEST").count("Invocations", 9)
    told = [(one.resource, one.version, dict(one.totals.counts)) for one in metrics.series(ACCOUNT, REGION)]
    assert told == [
        ("one", "$LATEST", {"Invocations": 3}),
        ("one:live", "3", {"Invocations": 1}),
        ("one:live", "4", {"Errors": 1}),
        ("two", "$LATEST", {"Throttles": 1}),
    ]


def test_sums_merge_counts_and_statistics_and_change_no_series() -> None:
    metrics = Metrics()
    series = [metrics.of(ONE, None, "$LATEST"), metrics.of(ONE, "live", "1"), metrics.of(ONE, "2", "2")]
    for one, values in zip(series, [(5.0, 1.0), (9.0,), ()], strict=True):
        for value in values:
            one.count("Invocations")
            one.observe("Duration", value)
    for _ in range(2):
        assert summed(series) == Totals({"Invocations": 3}, {"Duration": Observed(3, 15.0, 1.0, 9.0)})
    assert series[0].totals.measures["Duration"] == Observed(2, 6.0, 1.0, 5.0)
    assert summed([]) == Totals({}, {})


def test_values_below_zero_and_zero_are_values() -> None:
    observed = Observed()
    for value in (-2.0, 0.0, -5.0):
        observed.add(value)
    assert observed == Observed(3, -7.0, -5.0, 0.0)


def test_concurrent_executions_are_of_the_function_and_of_the_account() -> None:
    metrics = Metrics()
    latest, live, two = metrics.of(ONE, None, "$LATEST"), metrics.of(ONE, "live", "1"), metrics.of(TWO, None, "$LATEST")
    for series in (latest, live, two):
        series.begin()
    assert (metrics.executions(ONE).running, metrics.account_executions(ACCOUNT, REGION).running) == (2, 3)
    for series in (two, live, latest):
        series.end()
    latest.begin()
    latest.end()
    assert metrics.executions(ONE).observed == Observed(3, 4.0, 1.0, 2.0)
    assert metrics.account_executions(ACCOUNT, REGION).observed == Observed(4, 7.0, 1.0, 3.0)
    assert metrics.account_executions(ACCOUNT, REGION).running == 0
    assert metrics.executions(FunctionKey(ACCOUNT, REGION, "never")).observed == Observed()


def test_the_series_used_least_recently_are_forgotten() -> None:
    metrics = Metrics(most_series=3)
    keys = [FunctionKey(ACCOUNT, REGION, f"f{number}") for number in range(5)]
    for key in keys[:3]:
        metrics.of(key, None, "$LATEST").begin()
    metrics.of(keys[0], None, "$LATEST").count("Invocations")
    for key in keys[3:]:
        metrics.of(key, None, "$LATEST").begin()
    assert [one.key.name for one in metrics.series(ACCOUNT, REGION)] == ["f0", "f3", "f4"]
    assert metrics.executions(keys[0]).running == 1
    assert metrics.executions(keys[1]).running == 0, "forgotten with its last series"
    metrics.of(keys[0], "live", "1")
    metrics.of(keys[0], "live", "2")
    metrics.of(keys[0], "live", "3")
    assert metrics.executions(keys[0]).running == 1, "kept while the function has a series"
