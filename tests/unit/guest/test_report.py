"""What pytest recorded becomes results, and those a page."""

from tests.guest.report import Result, is_proof, page, results_of

JUNIT = """\
<testsuites><testsuite name="pytest">
<testcase classname="tests.sandbox.test_a" name="test_holds[1]" time="1"/>
<testcase classname="tests.sandbox.test_a" name="test_holds[2]" time="1"/>
<testcase classname="tests.sandbox.test_a" name="test_breaks">
<failure message="assert 1 == 2&#10;more">x</failure></testcase>
<testcase classname="tests.sandbox.test_b" name="test_ends"><error message="failed on teardown">x</error></testcase>
<testcase classname="tests.sandbox.test_b" name="test_root"><skipped message="not root">x</skipped></testcase>
</testsuite></testsuites>"""
RESULTS = (
    Result("test_a", "test_holds[1]", "passed"),
    Result("test_a", "test_holds[2]", "passed"),
    Result("test_a", "test_breaks", "failed", "assert 1 == 2"),
    Result("test_b", "test_ends", "failed", "failed on teardown"),
    Result("test_b", "test_root", "skipped", "not root"),
)


def test_each_test_has_its_outcome_and_the_first_line_of_why():
    assert results_of(JUNIT) == RESULTS


def test_a_test_that_passed_and_then_broke_at_its_end_has_failed_once():
    twice = """<testsuite><testcase classname="m" name="t"/>
        <testcase classname="m" name="t"><error message="later"/></testcase></testsuite>"""
    assert results_of(twice) == (Result("m", "t", "failed", "later"),)


def test_only_a_run_in_which_something_passed_and_nothing_failed_proves_anything():
    assert is_proof(RESULTS[:2])
    assert not is_proof(RESULTS)
    assert not is_proof(RESULTS[4:])
    assert not is_proof(())


def test_the_page_names_every_test_that_did_not_pass_and_why():
    text = page({"commit": "abc"}, {"CPU": "7 %"}, RESULTS, {"test_c.py": "no network"})
    for line in (
        "- commit: abc",
        "- tests: 2 passed, 2 failed, 1 skipped",
        "| CPU | 7 % |",
        "- `test_a::test_breaks`: assert 1 == 2",
        "- `test_b::test_root`: not root",
        "- `test_c.py`: no network",
        "- `test_a::test_holds`, 2 cases",
    ):
        assert line in text.splitlines()


def test_a_clean_page_has_no_empty_sections():
    text = page({}, {}, RESULTS[:2], {})
    assert "failed\n" not in text.replace("0 failed", "")
    assert "skipped\n" not in text.replace("0 skipped\n", "")
    assert "left out" not in text
