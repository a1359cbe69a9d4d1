"""Bad requests are refused in AWS's form, quickly, and leave no trace; the server lives on."""

import pytest

from tests.conformance.bad_requests.programme import SEED, plan, run
from tests.conformance.bad_requests.stage import Stage
from tests.live_server import LiveServer

_COUNT = 5000


@pytest.mark.timeout(300)
def test_thousands_of_bad_requests_are_refused_without_a_fault_a_hang_or_a_trace(
    private_server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(private_server)
    report = run(stage, plan(stage, count=_COUNT, seed=SEED))
    stage.close()
    with capsys.disabled():
        print(f"\n{report}")
    assert not report.complaints, f"{len(report.complaints)} complaints:\n" + "\n".join(report.complaints[:20])
    assert report.ran >= 2000
    assert report.statuses[400] > 1000
    assert report.statuses[403] > 100
    assert report.statuses[404] > 20
    assert report.statuses[409] > 10
    assert report.statuses[412] > 10
    assert "Traceback" not in private_server.output
