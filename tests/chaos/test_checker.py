"""The checker of kill -9 can say no: each kind of loss, shown to it. And it accepts what a crash may rightly leave."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.checker import Seen, check
from tests.chaos.history import AcceptLog, Contents, Known, Phase, Record, knowledge

_FIRST, _SECOND, _THIRD = Contents("aaa", 1), Contents("bbb", 1), Contents("bbb", 2)


def _log(*steps: tuple[Phase, Contents | None]) -> dict[str, Known]:
    return knowledge(Record("f", phase, contents) for phase, contents in steps)


def _done(contents: Contents | None) -> tuple[tuple[Phase, Contents | None], ...]:
    return (Phase.ASKED, contents), (Phase.ACKNOWLEDGED, contents)


def _seen(contents: Contents, name: str = "f") -> Seen:
    return Seen(
        name=name,
        code_sha256=contents.code_sha256,
        markers=(contents.marker, contents.marker),
        downloaded_sha256=contents.code_sha256,
    )


_CREATED = _log(*_done(_FIRST))
_UPDATED = _log(*_done(_FIRST), *_done(_SECOND), *_done(_THIRD))
_DELETED = _log(*_done(_FIRST), *_done(None))
_UNANSWERED = _log(*_done(_FIRST), (Phase.ASKED, _SECOND))
_REFUSED = _log(*_done(_FIRST), (Phase.ASKED, _SECOND), (Phase.REFUSED, _SECOND))


@pytest.mark.parametrize(
    ("known", "listed", "kind"),
    [
        pytest.param(_CREATED, [], "lost", id="an acknowledged creation is gone"),
        pytest.param(_DELETED, [_seen(_FIRST)], "resurrected", id="a deleted function is back"),
        pytest.param(_UPDATED, [_seen(_FIRST)], "older", id="an acknowledged update is undone"),
        pytest.param(_UPDATED, [_seen(_SECOND)], "older", id="the last of several updates is undone"),
        pytest.param(_REFUSED, [_seen(_SECOND)], "older", id="a refused update has happened"),
        pytest.param(_UPDATED, [_seen(Contents("aaa", 2))], "mixed", id="code of one time, configuration of another"),
        pytest.param(_UPDATED, [replace(_seen(_THIRD), markers=(2, 1))], "mixed", id="half a configuration"),
        pytest.param(_UPDATED, [_seen(Contents("ccc", 9))], "invented", id="contents that nobody sent"),
        pytest.param({}, [_seen(_FIRST)], "invented", id="a function that nobody created"),
        pytest.param(_CREATED, [replace(_seen(_FIRST), state="Pending")], "stuck", id="a creation never ends"),
        pytest.param(
            _CREATED, [replace(_seen(_FIRST), last_update_status="InProgress")], "stuck", id="an update never ends"
        ),
        pytest.param(_CREATED, [replace(_seen(_FIRST), state="Failed")], "stuck", id="a good creation fails"),
        pytest.param(_CREATED, [replace(_seen(_FIRST), downloaded_sha256="")], "half-made", id="no code"),
        pytest.param(_CREATED, [replace(_seen(_FIRST), downloaded_sha256="bbb")], "half-made", id="other code"),
    ],
)
def test_a_broken_promise_is_found(known: dict[str, Known], listed: list[Seen], kind: str) -> None:
    assert [finding.kind for finding in check(known, listed)] == [kind]


@pytest.mark.parametrize(
    ("known", "listed"),
    [
        pytest.param(_CREATED, [_seen(_FIRST)], id="the creation is there"),
        pytest.param(_UPDATED, [_seen(_THIRD)], id="the last update is there"),
        pytest.param(_DELETED, [], id="the deleted one is gone"),
        pytest.param(_UNANSWERED, [_seen(_FIRST)], id="an unanswered update hasn't happened"),
        pytest.param(_UNANSWERED, [_seen(_SECOND)], id="an unanswered update has happened"),
        pytest.param(_log((Phase.ASKED, _FIRST)), [], id="an unanswered creation hasn't happened"),
        pytest.param(_log((Phase.ASKED, _FIRST)), [_seen(_FIRST)], id="an unanswered creation has happened"),
        pytest.param(_log(*_done(_FIRST), (Phase.ASKED, None)), [], id="an unanswered deletion has happened"),
        pytest.param(_REFUSED, [_seen(_FIRST)], id="a refused update hasn't happened"),
    ],
)
def test_what_may_be_is_accepted(known: dict[str, Known], listed: list[Seen]) -> None:
    assert check(known, listed) == []


def test_what_was_found_after_a_restart_is_what_counts_from_then_on() -> None:
    log = (*_done(_FIRST), (Phase.ASKED, _SECOND))
    assert check(_log(*log, (Phase.FOUND, _SECOND)), [_seen(_SECOND)]) == []
    assert [finding.kind for finding in check(_log(*log, (Phase.FOUND, _SECOND)), [_seen(_FIRST)])] == ["older"]
    assert [finding.kind for finding in check(_log(*log, (Phase.FOUND, _SECOND)), [])] == ["lost"]


def test_the_log_on_disk_says_what_was_written_also_to_a_later_process(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with AcceptLog(path) as log:
        log.write("f", Phase.ASKED, _FIRST)
        log.write("f", Phase.ACKNOWLEDGED, _FIRST)
        log.write("g", Phase.ASKED, None)
        assert log.acknowledged == 1
    with AcceptLog(path) as later:
        assert later.knowledge() == {
            "f": Known(frozenset({_FIRST}), frozenset({None, _FIRST})),
            "g": Known(frozenset({None}), frozenset({None})),
        }
