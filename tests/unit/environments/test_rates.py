"""Token buckets: a burst, then a rate, and never more saved than the burst."""

from lampion.environments.rates import TokenBucket, TokenBuckets


def taken(bucket: TokenBucket, now: float, tries: int = 100) -> int:
    return sum(bucket.take(now) for _ in range(tries))


def test_a_burst_and_then_the_rate() -> None:
    bucket = TokenBucket(10, 5, 100.0)
    assert taken(bucket, 100.0) == 10
    assert taken(bucket, 100.1) == 0
    assert taken(bucket, 100.2) == 1, "two tenths of a second bring one, the refused tries cost nothing"
    assert taken(bucket, 101.2) == 5
    assert not bucket.is_full(102.2)
    assert bucket.is_full(103.2)
    assert taken(bucket, 1000.0) == 10


def test_what_is_left_can_be_asked_without_taking_any() -> None:
    bucket = TokenBucket(10, 5, 0.0)
    assert [bucket.left(0.0), bucket.left(50.0)] == [10, 10]
    assert taken(bucket, 0.0) == 10
    assert [bucket.left(0.0), bucket.left(1.0), bucket.left(1.0), bucket.left(9.0)] == [0, 5, 5, 10]


def test_other_limits_hold_at_once() -> None:
    bucket = TokenBucket(10, 5, 0.0)
    bucket.change(3, 1, 0.0)
    assert taken(bucket, 0.0) == 3
    bucket.change(100, 10, 1.0)
    assert taken(bucket, 1.0) == 1
    assert taken(bucket, 2.0) == 10


def test_each_has_a_bucket_of_its_own_and_full_ones_are_not_kept() -> None:
    buckets = TokenBuckets[int](2, 1)
    assert [buckets.take(1, 0.0) for _ in range(3)] == [True, True, False]
    assert (buckets.left(1, 0.0), buckets.left(2, 0.0)) == (0, 2)
    for key in range(2, 5000):
        assert buckets.take(key, key * 10.0)
    assert len(buckets) <= 1001
    assert buckets.take(1, 50_000.0)
