"""What is known of how a request came."""

from lampion.http.message import RequestHead
from lampion.identity.request_facts import Asking


def test_of_a_long_header_the_beginning_is_compared() -> None:
    """Policies compare it in time that grows with its length."""
    sent = {"user-agent": "a" * 2048 + "b", "referer": "c" * 2049}
    asking = Asking(RequestHead("POST", "/", "", sent, None), now_epoch_seconds=0, scheme="https", region="us-east-1")
    assert asking.get("aws:useragent") == ("a" * 2048,)
    assert asking.get("aws:referer") == ("c" * 2048,)
