"""The programme of `make scale`, on a small store."""

from dataclasses import replace

from tests.scale.many_functions import Figures, measure, page


def test_it_measures_starts_pages_and_invocations():
    figures = measure(functions=60, versions=2, rounds=1, invocations=5)
    assert (len(figures.pages_ms), len(figures.pages_with_versions_ms)) == (2, 4)  # 61 functions, 181 with versions
    assert (len(figures.start_seconds), len(figures.start_seconds_few)) == (3, 3)
    text = page(figures)
    assert "60 functions with 2 versions each" in text
    assert "nan" not in text


GOOD = Figures(10, 1, 1.0, [0.5], [0.5], [10.0, 300.0], [20.0], [1.1], [1.0], [1.0])


def test_it_holds_what_was_promised_or_not():
    assert GOOD.holds
    assert not replace(GOOD, pages_ms=[10.0, 301.0]).holds
    assert not replace(GOOD, pages_with_versions_ms=[301.0]).holds
    assert not replace(GOOD, start_seconds=[1.1]).holds
    assert not replace(GOOD, invoke_ms=[1.2]).holds
