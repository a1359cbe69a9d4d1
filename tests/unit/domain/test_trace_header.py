"""The tracing header of an invocation: what is kept of a caller's, and how the function's own place gets into it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampion.domain.arn import FunctionKey
from lampion.domain.delivery import record_delivery
from lampion.domain.trace_header import Passed, Trace, begun, continued, function_hash, read_fields

from .test_invocation_record import ending

KEY = FunctionKey("123456789012", "us-east-1", "one")
OTHER = FunctionKey("123456789012", "us-east-1", "two")
OWN, OTHERS = function_hash(KEY), function_hash(OTHER)
DIGITS = "0123456789abcdef01234567" + "89abcdef89abcdef"
NOW = 1_800_000_000.5
NEW_ROOT = "Root=1-6b49d200-0123456789abcdef01234567"
ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793"
PARENT = "Parent=53995c3f42cd8ad8"
WHOLE = re.compile(
    r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01];"
    r"Lineage=[0-9]{1,5}:[0-9a-f]{8}:[0-9]{1,3}(?:-[0-9]{1,5}:[0-9a-f]{8}:[0-9]{1,3}){0,31}(?:;[!-~]{1,255})?"
)


def continue_(header: str, key: FunctionKey = KEY) -> Trace:
    return continued(header, key, DIGITS, NOW)


def test_a_trace_of_its_own_begins_with_the_function() -> None:
    assert begun(KEY, DIGITS, NOW) == Trace(
        f"{NEW_ROOT};Parent=89abcdef89abcdef;Sampled=0;Lineage=1:{OWN}:0", times_in_chain=1
    )


def test_a_hash_is_of_the_function_in_its_account_and_region() -> None:
    alike = [FunctionKey("210987654321", KEY.region, KEY.name), FunctionKey(KEY.account_id, "eu-west-1", KEY.name)]
    assert re.fullmatch("[0-9a-f]{8}", OWN)
    assert len({OWN, OTHERS, *map(function_hash, alike)}) == 4


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"{ROOT};{PARENT};Sampled=1", f"{ROOT};{PARENT};Sampled=1;Lineage=1:{OWN}:0"),
        (f"{ROOT};{PARENT}", f"{ROOT};{PARENT};Sampled=0;Lineage=1:{OWN}:0"),
        (f"{ROOT};{PARENT};Sampled=?", f"{ROOT};{PARENT};Sampled=0;Lineage=1:{OWN}:0"),
        (f"{ROOT};Sampled=1", f"{ROOT};Parent=89abcdef89abcdef;Sampled=1;Lineage=1:{OWN}:0"),
        (f"{ROOT};Parent=xyz", f"{ROOT};Parent=89abcdef89abcdef;Sampled=0;Lineage=1:{OWN}:0"),
        (f"sampled=1; {PARENT.lower()} ;{ROOT.upper()}", f"{ROOT};{PARENT};Sampled=1;Lineage=1:{OWN}:0"),
        (f"{ROOT};{ROOT[:-1]}4;{PARENT}", f"{ROOT};{PARENT};Sampled=0;Lineage=1:{OWN}:0"),
    ],
)
def test_a_callers_trace_goes_on_and_is_made_whole(header: str, expected: str) -> None:
    assert continue_(header) == Trace(expected, times_in_chain=1)


@pytest.mark.parametrize(
    "header", ["", ";", "=", "nonsense", "Root", "Root=", f"Root=2{ROOT[6:]}", f"{ROOT}0;{PARENT};Sampled=1", "\x00é"]
)
def test_without_a_root_the_trace_is_a_new_one(header: str) -> None:
    assert continue_(header) == begun(KEY, DIGITS, NOW)


def test_without_a_root_the_lineage_counts_all_the_same() -> None:
    trace = continue_(f"Parent=1;Lineage=3:{OWN}:2")
    assert trace == Trace(f"{NEW_ROOT};Parent=89abcdef89abcdef;Sampled=0;Lineage=4:{OWN}:3", times_in_chain=4)


@pytest.mark.parametrize(
    ("lineage", "expected", "times"),
    [
        (f"1:{OWN}:0", f"2:{OWN}:1", 2),
        (f"16:{OWN}:15", f"17:{OWN}:16", 17),
        (f"1:{OTHERS}:0", f"2:{OWN}:0-1:{OTHERS}:0", 1),
        (f"2:{OTHERS}:0-1:{OWN}:0", f"3:{OWN}:1-2:{OTHERS}:0", 2),
        (f"2:{OTHERS}:0|1:{OWN}:0", f"3:{OWN}:1-2:{OTHERS}:0", 2),
        (f"2:{OTHERS}:0%7C1:{OWN.upper()}:0", f"3:{OWN}:1-2:{OTHERS}:0", 2),
        (f"{OTHERS}:1|{OWN}:4", f"1:{OWN}:5-0:{OTHERS}:1", 6),
        (f"1:{OWN}:0-9:{OWN}:9", f"2:{OWN}:1", 2),
        (f"32767:{OWN}:255", f"32767:{OWN}:255", 256),
        (f"99999:{OWN}:99999", f"32767:{OWN}:255", 256),
        (f"1:{OWN}:+1-x-::--1:12345:0-1:{OTHERS}:,", f"1:{OWN}:0", 1),
    ],
)
def test_the_lineage_counts_each_function(lineage: str, expected: str, times: int) -> None:
    trace = continue_(f"{ROOT};{PARENT};Sampled=0;Lineage={lineage}")
    assert trace == Trace(f"{ROOT};{PARENT};Sampled=0;Lineage={expected}", times_in_chain=times)


def test_unknown_fields_are_handed_on_as_far_as_there_is_room() -> None:
    self_field = "Self=1-67891234-12456789abcdef012345678"
    header = continue_(f"{self_field};{ROOT};{PARENT};App=a=b,c;Bad=ü;flag;Blank=a b;Long={'x' * 300};Z=").header
    assert header == f"{ROOT};{PARENT};Sampled=0;Lineage=1:{OWN}:0;{self_field};App=a=b,c;Z="


def test_a_function_that_loops_is_remembered_among_however_many_others() -> None:
    header = continue_(continue_("").header).header
    for number in range(100):
        header = continue_(header, FunctionKey(KEY.account_id, KEY.region, f"passer-by-{number}")).header
    assert len(read_fields(header).lineage) == 32
    assert len(header) < 900
    assert continue_(header).times_in_chain == 3


@pytest.mark.parametrize("members", [1, 2, 3, 7, 31])
def test_every_function_of_a_loop_is_counted_exactly(members: int) -> None:
    keys = [FunctionKey(KEY.account_id, KEY.region, f"f{number}") for number in range(members)]
    header = begun(OTHER, DIGITS, NOW).header
    for times in range(1, 19):
        for key in keys:
            trace = continue_(header, key)
            assert trace.times_in_chain == times
            header = trace.header


PARTS = st.one_of(
    st.sampled_from([ROOT, PARENT, "Sampled=1", "Lineage=", f"Lineage=1:{OWN}:0", "Self=1", "Root=1-", ";;", "="]),
    st.text(max_size=40),
)


@given(header=st.lists(PARTS, max_size=60).map(";".join))
def test_whatever_a_caller_sends_the_function_gets_a_whole_header(header: str) -> None:
    trace = continue_(header)
    assert WHOLE.fullmatch(trace.header), trace.header
    assert continue_(trace.header).header != trace.header or trace.times_in_chain == 256
    kept = read_fields(trace.header)
    assert kept.lineage[0].function_hash == OWN
    assert kept.lineage[0].loops == trace.times_in_chain - 1


def test_what_is_written_can_be_read_again() -> None:
    trace = continue_(f"{ROOT};{PARENT};Sampled=1;Lineage=2:{OTHERS}:0-1:{OWN}:0;App=x")
    fields = read_fields(trace.header)
    assert (fields.root, fields.parent, fields.sampled, fields.others) == (ROOT[5:], PARENT[7:], "1", "App=x")
    assert list(fields.lineage) == [Passed(3, OWN, 1), Passed(2, OTHERS, 0)]


def test_sdks_and_queues_hand_on_what_separates_functions() -> None:
    from botocore.handlers import add_recursion_detection_header

    header = continue_(begun(OTHER, DIGITS, NOW).header).header
    headers: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_LAMBDA_FUNCTION_NAME", "one")
        patch.setenv("_X_AMZN_TRACE_ID", header)
        add_recursion_detection_header({"headers": headers})
    assert f":0-1:{OTHERS}:0" in header
    assert headers == {"X-Amzn-Trace-Id": header}
    assert record_delivery("id", "arn:aws:sqs:us-east-1:123456789012:queue", ending(), header).trace_header == header
