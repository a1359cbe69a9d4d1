"""A sealed zip opens as it was sealed, to the bit, with its own data key, or not at all."""

import pytest

from lampion.code.sealed_zip import HEAD_BYTES_MAX, Head, SealBroken, open_zip, read_head, seal_zip

HEAD = Head("arn:aws:lambda:us-east-1:123456789012:function:f", b"sealed data key")
KEY, NONCE = bytes(range(32)), bytes(range(12))
ZIPPED = b"PK\3\4 what a customer wrote"
SEALED = seal_zip(ZIPPED, HEAD, KEY, NONCE)


@pytest.mark.parametrize("zipped", [b"", b"x", ZIPPED, ZIPPED * 100_000])
def test_what_was_sealed_is_opened(zipped: bytes):
    sealed = seal_zip(zipped, HEAD, KEY, NONCE)
    assert open_zip(sealed, KEY) == zipped
    assert len(sealed) == len(zipped) + len(SEALED) - len(ZIPPED)


def test_nothing_of_it_shows():
    assert not any(ZIPPED[at : at + 4] in SEALED for at in range(len(ZIPPED) - 4))
    assert KEY not in SEALED


def test_every_flipped_bit_is_refused():
    for at in range(len(SEALED)):
        for bit in range(8):
            flipped = bytearray(SEALED)
            flipped[at] ^= 1 << bit
            with pytest.raises(SealBroken):
                open_zip(bytes(flipped), KEY)


def test_what_is_cut_off_at_either_end_or_longer_is_refused():
    for length in range(len(SEALED)):
        with pytest.raises(SealBroken):
            open_zip(SEALED[:length], KEY)
        with pytest.raises(SealBroken):
            open_zip(SEALED[length + 1 :], KEY)
    for longer in (SEALED + b"\0", b"\0" + SEALED, SEALED + SEALED):
        with pytest.raises(SealBroken):
            open_zip(longer, KEY)


def test_a_head_that_isnt_there_whole_is_none():
    head = HEAD.to_bytes()
    assert read_head(head) == HEAD
    for length in range(len(head)):
        with pytest.raises(SealBroken):
            read_head(head[:length])


def test_parts_in_another_order_are_refused():
    sealed = seal_zip(b"0123456789abcdef" * 4, HEAD, KEY, NONCE)
    start = len(HEAD.to_bytes()) + len(NONCE)
    head, one, two, rest = (
        sealed[:start],
        sealed[start : start + 16],
        sealed[start + 16 : start + 32],
        sealed[start + 32 :],
    )
    with pytest.raises(SealBroken):
        open_zip(head + two + one + rest, KEY)


def test_another_data_key_or_the_head_of_another_function_is_refused():
    with pytest.raises(SealBroken):
        open_zip(SEALED, KEY[::-1])
    with pytest.raises(SealBroken):
        open_zip(SEALED, b"short")
    other = Head(HEAD.function_arn.replace(":f", ":g"), HEAD.sealed_key)
    with pytest.raises(SealBroken):
        open_zip(other.to_bytes() + SEALED[len(HEAD.to_bytes()) :], KEY)


def test_the_head_is_read_from_the_beginning_alone():
    assert read_head(SEALED[: len(HEAD.to_bytes())]) == HEAD
    longest = Head("arn:aws:lambda:us-gov-east-1:123456789012:function:" + "f" * 64, b"k" * 4096)
    assert read_head(seal_zip(ZIPPED, longest, KEY, NONCE)[:HEAD_BYTES_MAX]) == longest
