"""The system's randomness comes in batches; what is handed out must not show it."""

import uuid

import pytest

from lampion.clock.rng import SystemRng


@pytest.mark.parametrize("size_bytes", [1, 20, 30, 63, 64, 65, 4096])
def test_tokens_have_their_size_and_never_come_twice(size_bytes: int):
    rng = SystemRng()
    tokens = [rng.token(size_bytes) for _ in range(2000)]  # more than a batch of every size
    assert {len(token) for token in tokens} == {size_bytes}
    if size_bytes >= 20:
        assert len(set(tokens)) == len(tokens)
        together = b"".join(tokens)
        assert len({together[at : at + 20] for at in range(0, len(together), 20)}) == len(together) // 20


def test_uuids_are_of_version_4_and_never_come_twice():
    rng = SystemRng()
    texts = [rng.uuid4() for _ in range(1000)]
    assert len(set(texts)) == 1000
    for text in texts:
        read = uuid.UUID(text)
        assert (str(read), read.version, read.variant) == (text, 4, uuid.RFC_4122)
