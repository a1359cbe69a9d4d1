"""What Lambda's own lines tell of extensions."""

import json

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.function_logs.platform_facts import ExtensionSummary, SubscriptionSummary
from lampion.function_logs.platform_lines import JsonLines, TextLines
from tests.unit.function_logs.test_platform_lines import event


@pytest.mark.parametrize(
    ("extension", "text", "record"),
    [
        (
            ExtensionSummary("x", "Ready", ("INVOKE", "SHUTDOWN"), None),
            "EXTENSION\tName: x\tState: Ready\tEvents: [INVOKE, SHUTDOWN]",
            {"name": "x", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]},
        ),
        (
            ExtensionSummary("y", "LaunchError", (), "PermissionDenied"),
            "EXTENSION\tName: y\tState: LaunchError\tEvents: []\tError Type: PermissionDenied",
            {"name": "y", "state": "LaunchError", "events": [], "errorType": "PermissionDenied"},
        ),
    ],
)
def test_how_an_extension_began(extension: ExtensionSummary, text: str, record: dict[str, object]) -> None:
    assert TextLines().extension(extension).decode() == text
    line = json.loads(JsonLines(VirtualClock()).extension(extension))
    assert (line["type"], line["record"]) == ("platform.extension", record)
    is_warning = JsonLines(VirtualClock(), "WARN").extension(extension) != b""
    assert is_warning == (extension.error_type is not None)


def test_an_extension_that_subscribes() -> None:
    """As agents' subscriptions stand in the logs of functions on AWS."""
    wanted = SubscriptionSummary("Telemetry", "datadog-agent", "Subscribed", ("platform", "function", "extension"))
    text = "TELEMETRY\tName: datadog-agent\tState: Subscribed\tTypes: [Platform, Function, Extension]"
    assert TextLines().subscription(wanted).decode() == text
    older = SubscriptionSummary("Logs", "cloudwatch_lambda_agent", "Already subscribed", ("platform",))
    text = "LOGS\tName: cloudwatch_lambda_agent\tState: Already subscribed\tTypes: [Platform]"
    assert TextLines().subscription(older).decode() == text
    lines = JsonLines(VirtualClock())
    assert event(lines.subscription(wanted)) == {
        "platform.telemetrySubscription": {
            "name": "datadog-agent",
            "state": "Subscribed",
            "types": ["platform", "function", "extension"],
        }
    }
    assert list(event(lines.subscription(older))) == ["platform.logsSubscription"]
    assert JsonLines(VirtualClock(), "WARN").subscription(wanted) == b""
