"""Tags as condition keys: which know no case, so that one of several counts."""

from lampion.identity.actors import known_of
from lampion.identity.callers import root
from lampion.identity.tag_facts import OF_RESOURCE, facts_of_request_tags, tag_facts


def test_of_tags_that_differ_by_case_the_first_counts():
    added_later = {"Team": "red", "team": "blue", "TEAM": "green"}
    assert tag_facts(OF_RESOURCE, added_later.items()) == {"aws:resourcetag/team": ("red",)}
    assert known_of(root("123456789012"), "", added_later)["aws:principaltag/team"] == ("red",)


def test_a_request_brings_its_tags_and_tells_their_keys():
    brought = facts_of_request_tags([("Team", "red"), ("cost", "1")])
    assert brought == {
        "aws:requesttag/team": ("red",),
        "aws:requesttag/cost": ("1",),
        "aws:tagkeys": ["Team", "cost"],
    }
    assert facts_of_request_tags([]) == {}
