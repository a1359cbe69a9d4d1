"""When functions have to leave a runtime, and for which other one."""

from datetime import date, timedelta

import pytest

from lampion.code.deprecations import deprecation_notices, notice_due

DAY = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("days_left", "expected"),
    [(121, None), (120, 120), (61, 120), (60, 60), (1, 60), (0, 0), (-1, 0), (-4000, 0)],
)
def test_notices_come_120_and_60_days_ahead_and_stay(days_left: int, expected: int | None) -> None:
    assert notice_due(DAY, DAY - timedelta(days=days_left)) == expected


def test_the_earliest_deprecation_comes_first_with_who_is_concerned() -> None:
    used = {"python3.10": ("a", "b"), "nodejs16.x": ("c",), "python3.14": ("d",), "nodejs26.x": ("e",), "gone": ("f",)}
    notices = deprecation_notices(used, date(2026, 9, 1))
    assert [(one.runtime.identifier, one.within_days, one.functions, one.successor) for one in notices] == [
        ("nodejs16.x", 0, ("c",), "nodejs24.x"),
        ("python3.10", 60, ("a", "b"), "python3.14"),
    ]


def test_a_successor_needs_no_notice_itself_and_runs_here() -> None:
    today = date(2028, 3, 1)  # nodejs24.x: within 60 days
    (notice,) = deprecation_notices({"nodejs20.x": ("a",)}, today)
    assert notice.successor is None
    (notice,) = deprecation_notices({"go1.x": ("a",)}, date(2026, 9, 1))
    assert notice.successor is None
