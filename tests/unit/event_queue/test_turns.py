"""Whose entry is next, as promised: in turns over the queues, in order within one, each entry in one hand only."""

from lampion.event_queue.turns import LOADED_MOST, Turns
from lampion.store.entries import Due, Entry, QueueKey


def queue(name: str) -> QueueKey:
    return QueueKey("event", "111122223333", "us-east-1", name)


def entry(name: str, sequence: int, due: int = 0) -> Entry:
    return Entry(sequence, queue(name), due, b"{}", b"{}")


def turns(*, most_running: int = 1000, most_of_queue: int = 1000) -> Turns:
    return Turns(most_running=most_running, most_of_queue=most_of_queue)


def taken(turns: Turns, count: int) -> list[str]:
    found = [turns.take() for _ in range(count)]
    return [f"{one.queue.name}{one.sequence}" if one else "-" for one in found]


def test_each_queue_has_its_turn_however_much_another_has():
    round_ = turns()
    for sequence in range(5):
        round_.add(entry("a", sequence))
    round_.add(entry("b", 10))
    round_.add(entry("c", 11))
    assert taken(round_, 8) == ["a0", "b10", "c11", "a1", "a2", "a3", "a4", "-"]


def test_an_entry_is_handed_out_once_until_it_is_put_back():
    round_ = turns()
    one = entry("a", 1)
    round_.add(one)
    round_.add(one)
    assert taken(round_, 2) == ["a1", "-"]
    round_.put_back(one)
    assert taken(round_, 2) == ["a1", "-"]
    round_.release(one)
    assert taken(round_, 1) == ["-"]


def test_entries_that_are_put_back_keep_their_order():
    round_ = turns()
    entries = [entry("a", sequence) for sequence in range(4)]
    for one in entries:
        round_.add(one)
    assert taken(round_, 3) == ["a0", "a1", "a2"]
    for one in entries[:3]:
        round_.put_back(one)
    assert taken(round_, 4) == ["a0", "a1", "a2", "a3"]


def test_no_more_run_than_may_in_all():
    round_ = turns(most_running=2)
    for name in "abc":
        round_.add(entry(name, ord(name)))
    assert taken(round_, 3) == ["a97", "b98", "-"]
    round_.release(entry("a", 97))
    assert taken(round_, 2) == ["c99", "-"]


def test_no_more_of_one_queue_run_than_its_pace_allows():
    round_ = turns(most_of_queue=2)
    for sequence in range(4):
        round_.add(entry("a", sequence))
    assert taken(round_, 3) == ["a0", "a1", "-"]
    round_.release(entry("a", 0))
    assert taken(round_, 2) == ["a2", "-"]


def test_a_paused_queue_has_no_turn_and_the_others_have_theirs():
    round_ = turns()
    round_.add(entry("a", 1))
    round_.add(entry("b", 2))
    round_.line(queue("a")).is_paused = True
    assert taken(round_, 2) == ["b2", "-"]
    round_.line(queue("a")).is_paused = False
    round_.ready(round_.line(queue("a")))
    assert taken(round_, 2) == ["a1", "-"]


def test_what_is_behind_entries_on_disk_waits_there():
    round_ = turns()
    line = round_.line(queue("a"))
    for sequence in range(LOADED_MOST + 3):
        round_.add(entry("a", sequence))
    assert len(line.loaded) == LOADED_MOST
    assert line.has_more


def test_what_comes_while_others_are_read_is_not_forgotten():
    round_ = turns()
    line = round_.line(queue("a"))
    line.has_more = True
    assert round_.start_load(line) == LOADED_MOST
    round_.add(entry("a", 9))
    round_.finish_load(line, Due([entry("a", 1)], are_all=True, next_due_epoch_ms=None))
    assert line.has_more, "the entry that came meanwhile is still to be read"
    round_.start_load(line)
    round_.finish_load(line, Due([entry("a", 1), entry("a", 9)], are_all=True, next_due_epoch_ms=None))
    assert taken(round_, 3) == ["a1", "a9", "-"]


def test_a_failed_read_leaves_all_to_be_read():
    round_ = turns()
    line = round_.line(queue("a"))
    line.has_more = True
    round_.start_load(line)
    round_.finish_load(line, None)
    assert line.wants_load


def test_memory_is_kept_for_queues_that_have_something_to_do():
    round_ = turns()
    one = entry("a", 1)
    round_.add(one)
    round_.forget_idle(round_.line(queue("a")))
    assert round_.queues() == (queue("a"),)
    round_.take()
    line = round_.release(one)
    assert round_.take() is None
    round_.forget_idle(line)
    assert round_.queues() == ()
