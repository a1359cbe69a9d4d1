"""Which functions have to move to another runtime, and how soon, as AWS tells 120 and 60 days ahead. Pure.

Source: Lambda developer guide, page "Runtime deprecation": Trusted Advisor tells 120 days, an e-mail 60 days before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from lampion.code.runtimes import Runtime, catalogue

FIRST_NOTICE_DAYS: Final = 120
LAST_NOTICE_DAYS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DeprecationNotice:
    """A runtime that is deprecated, or will be, and the functions that have it.

    `within_days` is the notice's term; 0 when the runtime is deprecated already. `successor` is the newest runtime of
    its language that needs no notice itself, if there is one that runs here.
    """

    runtime: Runtime
    deprecation: date
    within_days: int
    functions: tuple[str, ...]
    successor: str | None


def deprecation_notices(
    functions_by_runtime: Mapping[str, tuple[str, ...]], today: date
) -> Sequence[DeprecationNotice]:
    """The notices due `today`, the earliest deprecation first."""
    notices = []
    for identifier, functions in functions_by_runtime.items():
        runtime = catalogue().runtimes.get(identifier)
        if runtime is None or runtime.deprecation is None:
            continue
        within_days = notice_due(runtime.deprecation, today)
        if within_days is not None:
            notices.append(
                DeprecationNotice(
                    runtime=runtime,
                    deprecation=runtime.deprecation,
                    within_days=within_days,
                    functions=functions,
                    successor=_successor(runtime, today),
                )
            )
    return sorted(notices, key=lambda notice: (notice.deprecation, notice.runtime.identifier))


def notice_due(deprecation: date, today: date) -> int | None:
    """Within how many days (0, 60, 120) the notice speaks of; None when it is too early for one."""
    days_left = (deprecation - today).days
    terms = (0, LAST_NOTICE_DAYS, FIRST_NOTICE_DAYS)
    return next((term for term in terms if days_left <= term), None)


def _successor(runtime: Runtime, today: date) -> str | None:
    fit = [
        one.identifier
        for one in catalogue().runtimes.values()
        if one.language == runtime.language
        and one.is_runnable
        and one.deprecation is not None
        and notice_due(one.deprecation, today) is None
    ]
    return fit[-1] if fit else None
