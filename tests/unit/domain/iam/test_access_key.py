"""Access keys of users: two at a time; the secret shows nowhere."""

import pytest

from lampion.domain.iam.access_key import UserKey, check_room_for_key, key_missing
from lampion.domain.iam.errors import LimitExceededException


def test_a_user_has_two_keys_at_the_most() -> None:
    check_room_for_key(0)
    check_room_for_key(1)
    with pytest.raises(LimitExceededException) as caught:
        check_room_for_key(2)
    assert caught.value.message == "Cannot exceed quota for AccessKeysPerUser: 2"


def test_a_key_that_isnt_there() -> None:
    assert key_missing("LKIA").message == "The Access Key with id LKIA cannot be found."


def test_a_new_key_is_active_and_its_secret_shows_nowhere() -> None:
    key = UserKey(
        account_id="123456789012",
        access_key_id="LKIA",
        secret_access_key="hidden",
        user_id="AIDA",
        created_epoch_seconds=1,
    )
    assert key.status == "Active"
    assert "hidden" not in repr(key)
