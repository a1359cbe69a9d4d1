"""The references never change: results of different days are compared through them."""

import hashlib
from pathlib import Path

import pytest

import benchmarks.reference
from benchmarks.functions import EVENT, LARGER_EVENT

FROZEN = {
    "two_hop.py": "cca12c851610ceb3e6e7c2fe67dc716becdc8aa77e2c2f477fbf084f33556728",
    "raw_echo.py": "8c4b4a3571b8ecb05918aa05a3d4b358d03730d144e5c39c2b7f7e0d01123c0f",
    "sqlite_batch16.py": "129388f491fb939c0ac9db5bf04f0478b9eeebab9e1cc8e682ae8299bc11b3c9",
}


@pytest.mark.parametrize("file", FROZEN)
def test_a_reference_is_the_file_it_always_was(file):
    data = (Path(benchmarks.reference.__file__).parent / file).read_bytes()

    assert hashlib.sha256(data).hexdigest() == FROZEN[file], "a changed reference makes all earlier ratios worthless"


def test_the_event_is_the_one_all_results_are_of():
    assert len(EVENT) == 56
    assert len(LARGER_EVENT) == 900
