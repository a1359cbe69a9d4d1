"""Compares how events ended with what was accepted of them, and with what functions did. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lampion.domain.invocation_record import Condition
from tests.chaos.checker import Finding
from tests.chaos.events.functions import AFTERWARDS, BEHAVIOURS
from tests.chaos.events.load import SYNCHRONOUS_MARK, Sent
from tests.chaos.events.queue_file import Ended, Waiting


class Effect(NamedTuple):
    """A function has run, for the event that was sent as `n`."""

    name: str
    n: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when all has become quiet. `effects` is None where functions reach nothing outside."""

    sent: Sequence[Sent]
    ended: Sequence[Ended]
    waiting: Sequence[Waiting]
    effects: Sequence[Effect] | None


def judge(facts: Facts) -> list[Finding]:
    """Everything that is wrong."""
    return [
        *_ended_twice(facts.ended, facts.waiting),
        *_lost(facts),
        *_refused(facts.sent),
        *_invented(facts),
        *_ended_otherwise(facts.ended),
        *_results(facts.ended),
        *(() if facts.effects is None else _effects(facts, facts.effects)),
    ]


def _ended_twice(ended: Sequence[Ended], waiting: Iterable[Waiting]) -> Iterator[Finding]:
    for request_id, count in Counter(one.request_id for one in ended).items():
        if count > 1:
            yield Finding("ended twice", f"{request_id} has {count} ends")
    for sequence, count in Counter(one.sequence for one in ended).items():
        if count > 1:
            yield Finding("ended twice", f"entry {sequence} has {count} ends")
    for request_id in {one.request_id for one in waiting} & {one.request_id for one in ended}:
        yield Finding("ended twice", f"{request_id} has ended and still waits")


def _lost(facts: Facts) -> Iterator[Finding]:
    known = {one.request_id for one in facts.ended} | {one.request_id for one in facts.waiting}
    for one in facts.sent:
        if one.was_accepted and one.request_id not in known:
            yield Finding("lost", f"{one.request_id} of {one.name} was accepted")
    for entry in facts.waiting:
        yield Finding("stuck", f"{entry.request_id} of {entry.name} never ended")


def _refused(sent: Iterable[Sent]) -> Iterator[Finding]:
    """Nothing was wrong with what was sent."""
    for status, count in Counter(one.status for one in sent if one.status not in (0, 202)).items():
        yield Finding("refused", f"{count} events with status {status}")


def _invented(facts: Facts) -> Iterator[Finding]:
    """What nobody was told of can only be what was sent and not answered."""
    accepted = {one.request_id for one in facts.sent if one.was_accepted}
    unanswered = Counter(one.name for one in facts.sent if not one.was_accepted)
    there = [(one.name, one.request_id) for one in facts.ended] + [(one.name, one.request_id) for one in facts.waiting]
    unknown = Counter(name for name, request_id in there if name != AFTERWARDS and request_id not in accepted)
    for name, count in (unknown - unanswered).items():
        yield Finding("invented", f"{count} events of {name} were never sent")


def _ended_otherwise(ended: Iterable[Ended]) -> Iterator[Finding]:
    for one in ended:
        if one.ending != BEHAVIOURS[one.name].ending:
            yield Finding("wrong end", f"{one.request_id} of {one.name} ended with {one.ending}")


def _results(ended: Iterable[Ended]) -> Iterator[Finding]:
    """Each end of what is followed brings one event, in the same step."""
    ends = Counter(one.name for one in ended)
    expected = sum(ends[name] for name, behaviour in BEHAVIOURS.items() if behaviour.is_followed)
    if ends[AFTERWARDS] != expected:
        yield Finding("results", f"{expected} results were to come, and {ends[AFTERWARDS]} came")


def _effects(facts: Facts, effects: Sequence[Effect]) -> Iterator[Finding]:
    ran = {(one.name, one.request_id) for one in effects}
    for one in facts.ended:
        has_run = one.ending in (Condition.SUCCESS, Condition.RETRIES_EXHAUSTED)
        if has_run and (one.name, one.request_id) not in ran:
            yield Finding("never ran", f"{one.request_id} of {one.name} ended with {one.ending}")
    sent = {one.n: one for one in facts.sent}
    ids: dict[tuple[str, str], set[str]] = defaultdict(set)
    for effect in effects:
        if effect.n.startswith(SYNCHRONOUS_MARK):
            continue
        ids[effect.name, effect.n].add(effect.request_id)
        of = sent.get(effect.n)
        if of is None or (effect.name not in (of.name, AFTERWARDS)):
            yield Finding("invented", f"{effect.name} ran {effect.n}, which it wasn't sent")
        elif of.was_accepted and effect.name == of.name and effect.request_id != of.request_id:
            yield Finding("invented", f"{effect.n} was accepted as {of.request_id} and ran as {effect.request_id}")
    for (name, n), request_ids in ids.items():
        if len(request_ids) > 1:
            yield Finding("invented", f"{n} became {len(request_ids)} events of {name}")
