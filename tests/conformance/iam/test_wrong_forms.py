"""Three hundred wrong requests by hand: each is refused in the protocol's form, and nothing is stored by any."""

from random import Random
from typing import Any
from xml.etree import ElementTree as ET

from tests.conformance.bad_requests.case import HttpRequest
from tests.conformance.bad_requests.database import Database
from tests.conformance.bad_requests.oracle import Answer
from tests.conformance.bad_requests.sending import Connection
from tests.conformance.bad_requests.signing import Signer
from tests.conformance.iam.making import ACCOUNT, Made, document, statement
from tests.conformance.iam.wrong_forms import Standing, Wrong, form_of, right_requests, wrong
from tests.live_server import LiveServer

NAMESPACE = "{https://iam.amazonaws.com/doc/2010-05-08/}"
FORM = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
COUNT, SEED = 300, 7


def complaint(answer: Answer) -> str:
    """What is wrong with a refusal; "" when nothing is."""
    if not 400 <= answer.status < 500:
        return f"{answer.status} {answer.body[:300]!r}"
    if answer.headers.get("content-type") != "text/xml" or not answer.headers.get("x-amzn-requestid"):
        return f"headers {answer.headers}"
    root = ET.fromstring(answer.body)
    told = {name: root.findtext(f"{NAMESPACE}Error/{NAMESPACE}{name}") for name in ("Type", "Code", "Message")}
    if root.tag != f"{NAMESPACE}ErrorResponse" or told["Type"] != "Sender" or not told["Code"] or not told["Message"]:
        return f"{answer.body[:300]!r}"
    if root.findtext(f"{NAMESPACE}RequestId") != answer.headers["x-amzn-requestid"]:
        return "another request's id"
    return "takes too long" if answer.seconds > 2 else ""


class Sender:
    """Signs with a key, and sends byte by byte as told."""

    def __init__(self, server: LiveServer, access_key_id: str, secret: str) -> None:
        self._signer = Signer(server.url, server.server.region, access_key_id, secret, service="iam")
        self._connection = Connection(server.url)

    def send(self, sent: Wrong) -> Answer:
        target = f"/?{sent.form.decode('latin-1')}" if sent.in_query else "/"
        method, body = ("GET", b"") if sent.in_query else ("POST", sent.form)
        request = HttpRequest(method=method, target=target, headers=(FORM,), body=body)
        return self._connection.send(self._signer.sign(request))

    def close(self) -> None:
        self._connection.close()


def senders(made: Made) -> list[Sender]:
    """The root; a user whose policies take some matching; one that may nothing."""
    root = made.server.server
    resources = [f"arn:aws:iam::{ACCOUNT}:{kind}/*a*b*c*" for kind in ("user", "role", "group", "policy")]
    unless: dict[str, Any] = {
        "Condition": {"StringNotLike": {"iam:PolicyARN": "*a*b*c*", "aws:RequestTag/Team": "*x*y*"}}
    }
    some = document(statement("iam:*", resource=resources), statement("iam:*", effect="Deny", **unless))
    keys = [made.key(made.user(*those)) for those in ((some,), ())]
    pairs = [(root.access_key_id, root.secret_access_key)]
    pairs += [(key["AccessKeyId"], key["SecretAccessKey"]) for key in keys]
    return [Sender(made.server, *pair) for pair in pairs]


def standing(made: Made) -> Standing:
    user = made.user()
    return Standing(
        user=user,
        group=made.identity("Group"),
        role=made.identity("Role"),
        policy_arn=made.policy(),
        key_id=made.key(user)["AccessKeyId"],
    )


def test_wrong_requests_are_refused_and_change_nothing(live_server: LiveServer, made: Made, iam: Any) -> None:
    rng, those, database = Random(SEED), senders(made), Database(live_server.data / "lampion.db")
    requests = right_requests(standing(made), "new")
    before, wrongs = database.rows(), []
    for _ in range(COUNT):
        sent = wrong(requests, rng)
        told = complaint(rng.choice(those).send(sent))
        if not told and database.rows() != before:
            told, before = "something was stored", database.rows()
        if told:
            wrongs.append(f"{sent.label}: {told}")
    database.close()
    assert not wrongs, "\n".join(wrongs)
    made.names += [("User", "new"), ("Group", "new"), ("Role", "new")]
    made.policies.append(f"arn:aws:iam::{ACCOUNT}:policy/a/new")
    for fields in requests:
        answer = those[0].send(Wrong("", form_of(fields)))
        assert answer.status == 200, (fields, answer.body)
    for sender in those:
        sender.close()
    assert iam.get_user(UserName="new")["User"]["Path"] == "/a/"
