"""Ciphertexts: what comes back and when it doesn't; nothing secret shows."""

import os
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lampion.identity.ciphertexts import Header, canonical, read, seal
from lampion.identity.master_key import MasterKey, NotOurs

MASTER = MasterKey(b"m" * 32)
MATERIAL = b"k" * 32
HEADER = Header("123456789012", "0f0f0f0f-1234-4678-9abc-def012345678", 3)
CONTEXT = {"LambdaFunctionName": "orders", "a": "b"}
contexts = st.dictionaries(st.text(), st.text(), max_size=5)


def sealed(plaintext: bytes = b"secret", context: dict[str, str] = CONTEXT, header: Header = HEADER) -> bytes:
    return seal(header, MATERIAL, plaintext, context, master=MASTER, nonce=os.urandom(12))


@settings(suppress_health_check=[HealthCheck.too_slow])  # to draw takes long on a busy machine, and says nothing
@given(
    st.binary(min_size=1, max_size=4096),
    contexts,
    st.integers(0, 999_999_999_999),
    st.uuids(),
    st.integers(0, 65_535),
)
def test_what_is_sealed_comes_back(
    plaintext: bytes, context: dict[str, str], account: int, key_id: uuid.UUID, number: int
) -> None:
    header = Header(f"{account:012}", str(key_id), number)
    found = read(sealed(plaintext, context, header), MASTER)
    assert found.header == header
    assert found.open(MATERIAL, dict(reversed(context.items()))) == plaintext


def test_a_change_of_any_bit_is_seen() -> None:
    blob = sealed()
    assert read(blob, MASTER).open(MATERIAL, CONTEXT) == b"secret"
    for at in range(len(blob)):
        for bit in range(8):
            changed = bytearray(blob)
            changed[at] ^= 1 << bit
            with pytest.raises(NotOurs):
                read(bytes(changed), MASTER).open(MATERIAL, CONTEXT)


def test_a_part_or_more_than_all_of_it_is_nothing() -> None:
    blob = sealed()
    for changed in (*(blob[:size] for size in range(len(blob))), blob + b"\0", b"\0" + blob, blob + blob):
        with pytest.raises(NotOurs):
            read(changed, MASTER).open(MATERIAL, CONTEXT)


def test_the_halves_of_two_are_not_a_third() -> None:
    ours, other = sealed(), sealed(header=Header("210987654321", str(uuid.uuid4()), 0))
    for at in range(1, len(ours)):
        if ours[:at] != other[:at] and ours[at:] != other[at:]:
            with pytest.raises(NotOurs):
                read(ours[:at] + other[at:], MASTER).open(MATERIAL, CONTEXT)


def test_other_keys_open_nothing() -> None:
    with pytest.raises(NotOurs):
        read(sealed(), MasterKey(b"n" * 32))
    with pytest.raises(NotOurs):
        read(sealed(), MASTER).open(b"l" * 32, CONTEXT)


@given(contexts, contexts)
def test_only_equal_contexts_open(sealing: dict[str, str], opening: dict[str, str]) -> None:
    assert (canonical(sealing) == canonical(opening)) is (sealing == opening)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "bc"}, {"ab": "c"}),
        ({"a": ""}, {}),
        ({"a": "b", "c": "d"}, {"a": "bcd"}),
        ({"a": "b"}, {"A": "b"}),
        ({"a": "b"}, {"b": "a"}),
    ],
)
def test_contexts_that_look_alike_are_others(one: dict[str, str], other: dict[str, str]) -> None:
    with pytest.raises(NotOurs):
        read(sealed(context=one), MASTER).open(MATERIAL, other)


def test_nothing_secret_shows() -> None:
    for shown in (repr(MASTER), str(MASTER), repr(read(sealed(), MASTER))):
        assert not any(one in shown for one in ("mmmm", "kkkk", "secret"))
