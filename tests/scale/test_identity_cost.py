"""The programme of `make identity-cost`, with few requests."""

from lampion.aws.errors import AccessDeniedException
from tests.scale.identity_cost import MOST_US, Cost, Warm, measure, page, signed


async def test_it_measures_every_kind_of_caller():
    costs = await measure(requests=20, repeats=1)
    assert [cost.caller for cost in costs] == [
        "root",
        "user",
        "user whose policy asks for the address",
        "session of a role",
        "function",
    ]
    # Ten times what is promised: this is about the order of magnitude, on whatever machine.
    assert all(0 < cost.median_us < 10 * MOST_US for cost in costs)
    assert "| root | " in page(costs, 20, 1)


async def test_its_callers_are_allowed_because_of_their_policies():
    warm = Warm()
    for name, signer in (await warm.callers()).items():
        (request,) = signed(signer, 1, warm.clock.now())
        principal = await warm.authentication.verify(warm.authentication.read(request.head), request)
        try:
            await warm.authorization.check(principal, "DeleteFunction", {"FunctionName": "orders"}, request.head)
        except AccessDeniedException:
            assert name != "root"
        else:
            assert name == "root"


def test_the_median_counts():
    assert Cost("root", [1.0, 50.0, 2.0]).median_us == 2.0
