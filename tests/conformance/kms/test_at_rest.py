"""What lies in the data directory: no environment variable in plain text, whatever happened, and whoever stored it."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.conformance.kms.clients import ACCOUNT
from tests.deployment import creation, wait_active, wait_updated
from tests.live_server import LiveServer

SHOWS = "import os\ndef handler(event, context):\n    return [os.environ['OPEN'], os.environ['SECRET']]\n"
VALUES = ("first of all hidden values", "second of all hidden values", "third of all hidden values")


def variables(*values: str) -> dict[str, Any]:
    return {"Variables": dict(zip(("OPEN", "SECRET"), values, strict=True))}


def check_nothing_is_plain(server: LiveServer) -> None:
    found = [path for path in server.data.rglob("*") if path.is_file() and not path.is_symlink()]
    assert any(path.name == "lampion.db" for path in found)
    for path in found:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # a log's segment, or the like, that a running server has put in another's place
            continue
        assert not [value for value in VALUES if value.encode() in content], path
    assert not [value for value in VALUES if value in server.output]


def make(client: Any, name: str, **more: Any) -> None:
    client.create_function(**creation(name, SHOWS, **more))
    wait_active(client, name)


def call(client: Any, name: str, **more: Any) -> Any:
    return json.loads(client.invoke(FunctionName=name, **more)["Payload"].read())


@pytest.fixture
def lambda_of() -> Any:
    clients: list[Any] = []

    def of(server: LiveServer, service: str = "lambda") -> Any:
        clients.append(server.client(service))
        return clients[-1]

    yield of
    for client in clients:
        client.close()


def test_no_variable_is_in_any_file_of_a_server_that_runs_was_killed_or_ended(
    private_server: LiveServer, lambda_of: Callable[..., Any]
) -> None:
    client, kms = lambda_of(private_server), lambda_of(private_server, "kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    make(client, "own", Environment=variables(*VALUES[:2]))
    make(client, "customers", Environment=variables(*VALUES[:2]), KMSKeyArn=key)
    for name in ("own", "customers"):
        client.publish_version(FunctionName=name)
        client.update_function_configuration(FunctionName=name, Environment=variables(*VALUES[1:]))
        wait_updated(client, name)
        assert call(client, name) == list(VALUES[1:])
    check_nothing_is_plain(private_server)
    private_server.kill()
    check_nothing_is_plain(private_server)
    private_server.start()
    client = lambda_of(private_server)
    for name in ("own", "customers"):
        assert call(client, name, Qualifier="1") == list(VALUES[:2])
        assert client.get_function_configuration(FunctionName=name)["Environment"] == variables(*VALUES[1:])
    private_server.stop()
    check_nothing_is_plain(private_server)


def as_older_versions_stored(server: LiveServer, *, lost_key: str) -> None:
    """The functions that are there, with plain variables; nothing of what this version adds. Of "lost", the key that
    it names never was.
    """
    with closing(sqlite3.connect(server.data / "lampion.db")) as database:
        rows = database.execute("SELECT rowid, name, document FROM functions").fetchall()
        for row, name, document in rows:
            function = json.loads(document)
            values = function["configuration"]
            assert values.pop("sealed_environment")
            values["environment"] = variables(*VALUES[:2])["Variables"]
            if name == "lost":
                values["kms_key_arn"] = lost_key
            database.execute("UPDATE functions SET document = ? WHERE rowid = ?", (json.dumps(function).encode(), row))
        database.execute("UPDATE functions SET document = replace(document, '\": ', '\":')")
        database.execute("UPDATE functions SET document = CAST(document AS BLOB)")
        database.execute("DELETE FROM resources WHERE kind = 'kms-grant'")
        database.execute("PRAGMA user_version = 4")
        database.commit()


def test_what_an_older_version_stored_is_encrypted_at_the_start(
    private_server: LiveServer, lambda_of: Callable[..., Any]
) -> None:
    client, kms = lambda_of(private_server), lambda_of(private_server, "kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    lost_key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
    make(client, "own", Environment=variables("x", "y"), Publish=True)
    make(client, "customers", Environment=variables("x", "y"), KMSKeyArn=key, Publish=True)
    make(client, "lost", Environment=variables("x", "y"))
    private_server.stop()
    as_older_versions_stored(private_server, lost_key=lost_key)
    with pytest.raises(AssertionError, match="lampion"):
        check_nothing_is_plain(private_server)

    private_server.start()
    check_nothing_is_plain(private_server)
    client, kms = lambda_of(private_server), lambda_of(private_server, "kms")
    for name, named in (("own", None), ("customers", key), ("lost", lost_key)):
        shown = client.get_function_configuration(FunctionName=name)
        assert (shown["Environment"], shown.get("KMSKeyArn")) == (variables(*VALUES[:2]), named)
        assert call(client, name) == list(VALUES[:2])
    assert call(client, "customers", Qualifier="1") == list(VALUES[:2])
    assert len(kms.list_grants(KeyId=key)["Grants"]) == 1
    assert "encrypted the environment variables of 5 functions and versions" in private_server.output
    private_server.restart()
    assert private_server.output.count("encrypted the environment variables") == 1
    private_server.stop()
    check_nothing_is_plain(private_server)
