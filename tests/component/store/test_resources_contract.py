"""What every store of resources promises: in memory, in SQLite, and with the cache in front."""

from dataclasses import dataclass, replace

import pytest

from lampion.domain.function import DeploymentPackage
from lampion.domain.version import counted, published
from lampion.store.functions import AlreadyExists, Changed
from lampion.store.resources import CodeUse, Kind, Place, Resources, Stored, every
from tests.component.store.samples import ACCOUNT, REGION, function, key


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A resource as good as any."""

    owner: str
    name: str
    text: str = ""
    subject: str | None = None
    code_bytes: int = 0
    account_id: str = ACCOUNT
    region: str = REGION


def place(note: Note) -> Place:
    return Place(note.account_id, note.region, note.owner, note.name)


def package(note: Note) -> DeploymentPackage | None:
    return DeploymentPackage(f"sha-{note.text}", "base64=", note.code_bytes) if note.code_bytes else None


NOTES = Kind("note", Note, place, found_by=lambda note: note.subject, package=package)
OTHERS = Kind("other", Note, place)


async def put(resources: Resources, *notes: Note, kind: Kind[Note] = NOTES) -> None:
    def work(stored: Stored) -> None:
        for note in notes:
            stored.put(kind, note)

    await resources.change(work)


async def names(resources: Resources, **where: object) -> list[str]:
    arguments = {"limit": 100, **where}
    found = await resources.read(lambda stored: stored.page(NOTES, ACCOUNT, REGION, **arguments))  # type: ignore[arg-type]
    return [f"{note.owner}/{note.name}" for note in found]


async def test_what_was_put_is_there_and_can_be_replaced_and_deleted(resources: Resources):
    first = Note(owner="", name="a", text='é 日本語 🦙 "quoted" \\ \n\u0000')
    await put(resources, first)
    assert await resources.read(lambda stored: stored.get(NOTES, place(first))) == first
    second = replace(first, text="second")
    await put(resources, second)
    assert await resources.read(lambda stored: stored.get(NOTES, place(first))) == second
    assert await resources.change(lambda stored: stored.delete(NOTES, place(first))) is True
    assert await resources.change(lambda stored: stored.delete(NOTES, place(first))) is False
    assert await resources.read(lambda stored: stored.get(NOTES, place(first))) is None


@pytest.mark.parametrize("other", [{"account_id": "210987654321"}, {"region": "eu-west-1"}, {"owner": "function:b"}])
async def test_places_are_kept_apart(resources: Resources, other: dict[str, str]):
    note = Note(owner="function:a", name="n", text="one")
    elsewhere = replace(note, text="another", **other)  # type: ignore[arg-type]
    await put(resources, note, elsewhere)
    assert await resources.read(lambda stored: stored.get(NOTES, place(note))) == note
    assert await resources.read(lambda stored: stored.get(NOTES, place(elsewhere))) == elsewhere


async def test_kinds_are_kept_apart(resources: Resources):
    note = Note(owner="", name="n", text="one")
    await put(resources, note)
    await put(resources, replace(note, text="other"), kind=OTHERS)
    assert await resources.read(lambda stored: stored.get(NOTES, place(note))) == note


async def test_a_change_that_raises_changes_nothing(resources: Resources):
    note = Note(owner="", name="n", text="kept")
    await put(resources, note)
    latest = function(settled=True)

    def work(stored: Stored) -> None:
        stored.put(NOTES, replace(note, text="lost"))
        stored.put(NOTES, Note(owner="", name="more"))
        stored.insert_function(latest)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await resources.change(work)
    assert await names(resources) == ["/n"]
    assert await resources.read(lambda stored: stored.get(NOTES, place(note))) == note
    assert await resources.read(lambda stored: stored.function(latest.key)) is None


async def test_a_change_sees_what_it_wrote(resources: Resources):
    note = Note(owner="", name="n")

    def work(stored: Stored) -> Note | None:
        stored.put(NOTES, note)
        return stored.get(NOTES, place(note))

    assert await resources.change(work) == note


async def test_pages_go_through_all_owners_in_order(resources: Resources):
    notes = [Note(owner=owner, name=name) for owner in ("", "a", "b") for name in ("1", "10", "2", "é", "")]
    await put(resources, *reversed(notes))
    walked: list[str] = []
    after: tuple[str, str] | None = None
    while page := await names(resources, after=after, limit=4):
        walked += page
        owner, _, name = page[-1].partition("/")
        after = (owner, name)
    assert walked == [f"{owner}/{name}" for owner in ("", "a", "b") for name in ("", "1", "10", "2", "é")]


async def test_pages_of_one_owner_go_both_ways(resources: Resources):
    await put(resources, *(Note(owner=owner, name=name) for owner in ("a", "b") for name in ("1", "2", "3")))
    assert await names(resources, owner="a", limit=2) == ["a/1", "a/2"]
    assert await names(resources, owner="a", after=("a", "2")) == ["a/3"]
    assert await names(resources, owner="b", descending=True, limit=2) == ["b/3", "b/2"]
    assert await names(resources, owner="b", descending=True, after=("b", "2")) == ["b/1"]
    assert await names(resources, owner="c") == []


async def test_a_page_goes_on_where_it_ended_though_its_last_row_is_gone(resources: Resources):
    await put(resources, *(Note(owner="a", name=name) for name in "123"))
    assert await names(resources, limit=2) == ["a/1", "a/2"]
    await resources.change(lambda stored: stored.delete(NOTES, Place(ACCOUNT, REGION, "a", "2")))
    assert await names(resources, after=("a", "2")) == ["a/3"]


async def test_resources_are_found_by_what_they_are_about(resources: Resources):
    notes = [
        Note(owner=owner, name=name, subject=subject) for owner in "ab" for name, subject in (("1", "x"), ("2", "y"))
    ]
    await put(resources, *notes, Note(owner="c", name="3"))

    async def about(subject: str, **where: object) -> list[str]:
        arguments = {"limit": 10, **where}
        found = await resources.read(
            lambda stored: stored.found(NOTES, ACCOUNT, REGION, by=subject, **arguments)  # type: ignore[arg-type]
        )
        return [note.owner for note in found]

    assert await about("x") == ["a", "b"]
    assert await about("x", limit=1) == ["a"]
    assert await about("x", after=("a", "1")) == ["b"]
    await put(resources, replace(notes[0], subject="y"))
    assert await about("x") == ["b"]
    assert await about("z") == []


async def test_deleting_a_function_deletes_its_versions_and_what_it_owns(resources: Resources):
    latest = counted(function(settled=True), revision_id="r")
    version = published(latest, description=None, revision_id="v")
    own, others = Note(owner="function:hello", name="1"), Note(owner="function:hello2", name="1")
    account = Note(owner="", name="function:hello")
    await resources.change(lambda stored: stored.insert_function(latest, published=version))
    await put(resources, own, others, account)
    assert await resources.change(lambda stored: stored.delete_function(key())) is True
    assert await resources.change(lambda stored: stored.delete_function(key())) is False
    assert await names(resources) == ["/function:hello", "function:hello2/1"]
    assert await resources.read(lambda stored: stored.function(key(), "1")) is None


async def test_deleting_a_version_deletes_what_is_kept_under_it(resources: Resources):
    latest = counted(function(settled=True), revision_id="r")
    version = published(latest, description=None, revision_id="v")
    await resources.change(lambda stored: stored.insert_function(latest, published=version))
    await put(resources, *(Note(owner="function:hello", name=name) for name in ("", "1", "11", "live")))
    assert await resources.change(lambda stored: stored.delete_version(key(), "2")) is False
    assert await resources.change(lambda stored: stored.delete_version(key(), "$LATEST")) is False
    assert await resources.change(lambda stored: stored.delete_version(key(), "1")) is True
    assert await names(resources) == ["function:hello/", "function:hello/11", "function:hello/live"]
    await resources.change(lambda stored: stored.delete_owned(key(), "live"))
    assert await names(resources) == ["function:hello/", "function:hello/11"]
    assert await resources.read(lambda stored: stored.function(key())) == latest


async def test_functions_are_written_in_the_same_transaction(resources: Resources):
    stored_first = function(settled=True)
    await resources.change(lambda stored: stored.insert_function(stored_first))
    with pytest.raises(AlreadyExists):
        await resources.change(lambda stored: stored.insert_function(stored_first))
    newer = function(settled=True, revision_id="r2", description="newer")
    with pytest.raises(Changed):
        await resources.change(lambda stored: stored.replace_function(newer, expected_revision_id="r0"))
    await resources.change(lambda stored: stored.replace_function(newer, expected_revision_id="r1"))
    assert await resources.read(lambda stored: stored.function(key())) == newer


async def test_the_code_in_use_is_that_of_functions_versions_and_layers(resources: Resources):
    latest = counted(function(settled=True), revision_id="r")  # 4 bytes, as its version
    version = published(latest, description=None, revision_id="v")
    await resources.change(lambda stored: stored.insert_function(latest, published=version))
    await put(
        resources,
        Note(owner="layer:a", name="1", text="l", code_bytes=100),
        Note(owner="layer:a", name="2"),
        Note(owner="layer:b", name="1", text="m", code_bytes=1000, region="eu-west-1"),
    )
    assert await resources.read(lambda stored: stored.code_use(ACCOUNT, REGION)) == CodeUse(1, 108)
    assert await resources.read(lambda stored: stored.code_use(ACCOUNT, "ap-south-1")) == CodeUse(0, 0)


async def test_every_resource_of_an_owner_can_be_summed_up(resources: Resources):
    await put(resources, *(Note(owner=owner, name=str(number)) for owner in "ab" for number in range(60)))
    assert len(await resources.read(lambda stored: every(stored, NOTES, ACCOUNT, REGION))) == 120
    assert len(await resources.read(lambda stored: every(stored, NOTES, ACCOUNT, REGION, owner="a"))) == 60


async def test_the_accounts_and_regions_that_have_something_of_a_kind(resources: Resources):
    here, there = Note(owner="", name="a"), Note(owner="function:hello", name="b", region="eu-west-1")

    def put_all(stored: Stored) -> None:
        for note in (here, replace(here, name="c"), there):
            stored.put(NOTES, note)
        stored.put(OTHERS, replace(here, region="us-west-2"))

    await resources.change(put_all)
    found = await resources.read(lambda stored: stored.accounts_with(NOTES))
    assert [tuple(one) for one in found] == [(ACCOUNT, "eu-west-1"), (ACCOUNT, REGION)]
