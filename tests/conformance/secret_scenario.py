"""A server that is given secrets of every kind, and used rightly and wrongly: where do they show?"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lampion.cli.client import Call, send
from tests.conformance.iam.making import ACCOUNT, allowing, with_keys
from tests.deployment import creation, wait_active
from tests.images.pushing import RegistryClient, ecr_beside
from tests.live_server import LiveServer

MASTER_KEY: Final = base64.b64encode(b"lampion-test-master-key-32-bytes").decode()
ENVIRONMENT: Final = "lampion-test-secret-of-the-environment"
PLAINTEXT: Final = "lampion-test-secret-plaintext"
SERVICE_KEY: Final = "lampion-test-secret-key-of-a-service"
VARIABLE: Final = "lampion-test-secret-key-in-a-variable"
PASSWORD: Final = "lampion-test-secret-password"
EVENT_SOURCE_TOKEN: Final = "lampion-test-secret-event-source-token"
HEADER: Final = "lampion-test-secret-header"
BODY: Final = "lampion-test-secret-body"

_DEBUG: Final = """
import logging, runpy, sys
from lampion.telemetry import server_log
logging.basicConfig(level=logging.DEBUG)
configure = server_log.configure

def configure_all():
    configure(logging.DEBUG)
    logging.getLogger("lampion.scenario").debug("at its most talkative")

server_log.configure = configure_all
sys.argv = ["lampion", *sys.argv[4:]]
runpy.run_module("lampion", run_name="__main__", alter_sys=True)
"""
"""Runs the command with every logger of the process at its most talkative."""

_SOURCE: Final = """
import os, sys, time

def handler(event, context):
    what = event.get("what")
    if what == "raise":
        raise RuntimeError("on purpose")
    if what == "exit":
        os._exit(3)
    if what == "abort":
        os.abort()
    if what == "sleep":
        time.sleep(60)
    return [os.environ[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
"""


@dataclass
class Scenario:
    """The secrets by what they are, and all texts in which none may be, by where they came from."""

    server: LiveServer
    secrets: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def found(self, those: Mapping[str, str] | None = None) -> list[str]:
        """Which secret is where."""
        texts = self.texts if those is None else those
        return [
            f"{name} in {where}"
            for name, secret in self.secrets.items()
            for where, text in texts.items()
            if secret in text
        ]

    def tell(self, where: str, text: str) -> None:
        self.texts[f"{where} ({len(self.texts)})"] = text


def server_with_secrets(directory: Path) -> LiveServer:
    """Not started; at debug level."""
    directory.mkdir()
    config, logins, debug = directory / "lampion.toml", directory / "logins.json", directory / "debug.py"
    keys = f'access_key_id = "AKIATEST"\nsecret_access_key = "{SERVICE_KEY}"\nsession_token = "{SERVICE_KEY}"'
    config.write_text(f'[services.sqs]\nendpoint = "http://127.0.0.1:9"\n{keys}\n')
    password = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    logins.write_text(json.dumps({"auths": {"registry.invalid": {"auth": password}}}))
    debug.write_text(_DEBUG)
    for path in (config, logins):
        path.chmod(0o600)
    return LiveServer(
        data=directory / "data",
        options=("--config", str(config), "--image-logins", str(logins), "--image-registry", "registry.invalid"),
        environ={
            "LAMPION_MASTER_KEY": MASTER_KEY,
            "AWS_ACCESS_KEY_ID": "AKIATEST",
            "AWS_SECRET_ACCESS_KEY": VARIABLE,
            "AWS_SESSION_TOKEN": VARIABLE,
            "PYTHONASYNCIODEBUG": "1",
        },
        wrapper=(sys.executable, str(debug)),
    )


def play(server: LiveServer) -> Scenario:
    """All of it; the server still runs."""
    on = Scenario(server)
    on.secrets |= {
        "master key": MASTER_KEY,
        "service's key": SERVICE_KEY,
        "key in a variable": VARIABLE,
        "password": PASSWORD,
        "login": base64.b64encode(f"me:{PASSWORD}".encode()).decode(),
        "environment": ENVIRONMENT,
        "plaintext": PLAINTEXT,
        "event source token": EVENT_SOURCE_TOKEN,
        "header": HEADER,
        "body": BODY,
        "root's key": server.server.secret_access_key,
    }
    _use_identities(on)
    _use_functions(on)
    _use_keys(on)
    _use_registry(on)
    _ask_wrongly(on)
    _ask_commands(on)
    return on


def _use_identities(on: Scenario) -> None:
    iam = on.server.client("iam")
    iam.create_user(UserName="lampion-test-user")
    iam.put_user_policy(UserName="lampion-test-user", PolicyName="p", PolicyDocument=allowing("sts:*"))
    key = iam.create_access_key(UserName="lampion-test-user")["AccessKey"]
    on.secrets["user's key"] = key["SecretAccessKey"]
    trusted = {"Service": "lambda.amazonaws.com", "AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="lampion-test-role", AssumeRolePolicyDocument=document)
    policy = allowing("sqs:SendMessage")
    iam.put_role_policy(RoleName="lampion-test-role", PolicyName="p", PolicyDocument=policy)
    sts = with_keys(on.server.url, "sts", key["AccessKeyId"], key["SecretAccessKey"])
    arn = f"arn:aws:iam::{ACCOUNT}:role/lampion-test-role"
    session = sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    on.secrets["session's key"], on.secrets["session's token"] = session["SecretAccessKey"], session["SessionToken"]
    those = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    for keys in (those, (key["AccessKeyId"], key["SecretAccessKey"])):
        client = with_keys(on.server.url, "lambda", *keys)
        _refused(on, client.list_functions)
        client.close()
    for keys in (
        (those[0], "wrong", those[2]),
        (*those[:2], those[2][:-8] + "AAAAAAAA"),
        (key["AccessKeyId"], "wrong"),
        ("ASIAUNKNOWN000000000", *those[1:]),
    ):
        for service in ("lambda", "iam", "sts", "kms", "ecr"):
            client = with_keys(on.server.url, service, *keys)
            call = {
                "lambda": "list_functions", "iam": "list_users", "sts": "get_caller_identity",
                "kms": "list_keys", "ecr": "describe_repositories",
            }[service]  # fmt: skip
            _refused(on, getattr(client, call))
            client.close()


def _use_functions(on: Scenario) -> None:
    client = on.server.client()
    arn = f"arn:aws:iam::{ACCOUNT}:role/lampion-test-role"
    client.create_function(
        **creation(
            "lampion-test-secrets", _SOURCE, Role=arn, Timeout=1, Environment={"Variables": {"SECRET": ENVIRONMENT}},
            LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "DEBUG", "ApplicationLogLevel": "DEBUG"},
        )
    )  # fmt: skip
    wait_active(client, "lampion-test-secrets")
    told = json.loads(client.invoke(FunctionName="lampion-test-secrets", Payload=b"{}")["Payload"].read())
    on.secrets["function's key"], on.secrets["function's token"] = told[1:]
    for what in ("raise", "exit", "abort", "sleep"):
        answer = client.invoke(FunctionName="lampion-test-secrets", Payload=json.dumps({"what": what}), LogType="Tail")
        on.tell(f"answer of {what}", answer["Payload"].read().decode())
        on.tell(f"log of {what}", base64.b64decode(answer["LogResult"]).decode())
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:lampion-test-queue"
    client.put_function_event_invoke_config(
        FunctionName="lampion-test-secrets",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": queue}},
    )
    client.invoke(FunctionName="lampion-test-secrets", InvocationType="Event", Payload=json.dumps({"what": "exit"}))
    permission = {"Principal": "alexa-appkit.amazon.com", "Action": "lambda:InvokeFunction", "StatementId": "s"}
    client.add_permission(FunctionName="lampion-test-secrets", EventSourceToken=EVENT_SOURCE_TOKEN, **permission)
    _refused(
        on,
        client.add_permission,
        FunctionName="lampion-test-secrets",
        EventSourceToken=EVENT_SOURCE_TOKEN,
        **permission,
    )
    variables = {"Variables": {"A": ENVIRONMENT * 200}}
    _refused(on, client.update_function_configuration, FunctionName="lampion-test-secrets", Environment=variables)
    variables = {"Variables": {"AWS_REGION": ENVIRONMENT}}
    _refused(on, client.update_function_configuration, FunctionName="lampion-test-secrets", Environment=variables)
    client.update_function_configuration(
        FunctionName="lampion-test-secrets", Environment={"Variables": {"SECRET": ENVIRONMENT}}, Timeout=20
    )
    client.invoke(FunctionName="lampion-test-secrets", Payload=b"{}")


def _use_keys(on: Scenario) -> None:
    kms = on.server.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    cipher = kms.encrypt(KeyId=key, Plaintext=PLAINTEXT.encode(), EncryptionContext={"a": "b"})["CiphertextBlob"]
    on.secrets["plaintext in base64"] = base64.b64encode(PLAINTEXT.encode()).decode().rstrip("=")
    made = kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]
    on.secrets["data key"] = base64.b64encode(made).decode()
    _refused(on, kms.decrypt, CiphertextBlob=cipher, EncryptionContext={"a": "c"})
    kms.disable_key(KeyId=key)
    _refused(on, kms.encrypt, KeyId=key, Plaintext=PLAINTEXT.encode())
    _refused(on, kms.encrypt, KeyId="alias/none", Plaintext=PLAINTEXT.encode())


def _use_registry(on: Scenario) -> None:
    ecr = ecr_beside(on.server.client())
    (data,) = ecr.get_authorization_token()["authorizationData"]
    token = data["authorizationToken"]
    on.secrets["registry's token"] = token
    on.secrets["registry's password"] = base64.b64decode(token).decode().partition(":")[2]
    ecr.create_repository(repositoryName="lampion-test-repository")
    client = RegistryClient(on.server.url, token)
    for method, path in (("GET", "/v2/"), ("GET", "/v2/lampion-test-none/tags/list"), ("PUT", "/v2/x/manifests/v1")):
        answer = client.ask(method, path)
        on.tell(f"registry {path}", f"{answer.headers} {answer.body.decode()}")
    answer = RegistryClient(on.server.url, token[:-12] + "AAAAAAAAAAAA").ask("GET", "/v2/")
    on.tell("registry, wrong token", f"{answer.headers} {answer.body.decode()}")
    uri = {"ImageUri": "registry.invalid/lampion-test:v1"}
    arguments = {"Role": f"arn:aws:iam::{ACCOUNT}:role/lampion-test-role", "PackageType": "Image"}
    _refused(on, on.server.client().create_function, FunctionName="lampion-test-image", Code=uri, **arguments)


def _ask_wrongly(on: Scenario) -> None:
    """Without a client that would say things rightly."""
    scope = "AKIAIOSFODNN7EXAMPLE/20261126/us-east-1/lambda/aws4_request"
    signed = (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature={HEADER}"
    )
    for headers in (
        {"Authorization": f"Bearer {HEADER}"},
        {"Authorization": f"Basic {base64.b64encode(HEADER.encode()).decode()}"},
        {"Authorization": HEADER},
        {"Authorization": signed, "X-Amz-Date": "20261126T000000Z", "X-Amz-Security-Token": HEADER},
        {"Authorization": signed.replace(HEADER, "a" * 64), "X-Amz-Security-Token": HEADER},
        {"X-Amz-Security-Token": HEADER, "Cookie": HEADER},
    ):
        for method, path in (("GET", "/2015-03-31/functions/"), ("POST", "/"), ("GET", "/v2/"), ("GET", "/nowhere")):
            answer = RegistryClient(on.server.url, None).ask(
                method, path, BODY.encode() if method == "POST" else b"", **headers
            )
            on.tell(f"{method} {path}", f"{answer.headers} {answer.body.decode(errors='replace')}")
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={scope.replace('/', '%2F')}&X-Amz-Security-Token={HEADER}"
    )
    for rest in (
        "",
        "&X-Amz-Date=20261126T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=" + HEADER,
    ):
        answer = RegistryClient(on.server.url, None).ask("GET", f"/2015-03-31/functions/?{query}{rest}")
        on.tell("a presigned URL", f"{answer.headers} {answer.body.decode()}")


def _ask_commands(on: Scenario) -> None:
    """What `lampion` prints, and what it gets."""
    name = "lampion-test-secrets"
    for words in (
        ("status",), ("status", "--json"), ("metrics",), ("metrics", name), ("queue", "ls"), ("logs", name),
        ("doctor", "--json"), ("doctor",), ("iam", "suggest", name), ("clock",), ("logs", "lampion-test-none"),
        ("queue", "peek", name, "--failed"),
    ):  # fmt: skip
        command = [sys.executable, "-m", "lampion", *words]
        environ = {**on.server.aws_environ(), "LAMPION_DATA": str(on.server.data)}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
        on.tell(f"lampion {' '.join(words)}", done.stdout + done.stderr)
    for view in ("health", "metrics", "status", "nothing"):
        answer = send(on.server.server, Call("GET", ("_lampion", view)), timeout_seconds=20)
        on.tell(f"/_lampion/{view}", answer.body.decode())


def _refused(on: Scenario, call: Any, **arguments: Any) -> None:
    """It is, and what is said is kept, with its headers."""
    client = call.__self__
    try:
        call(**arguments)
    except client.exceptions.ClientError as error:
        on.tell(f"refusal of {error.operation_name}", f"{error} {json.dumps(error.response, default=str)}")
        return
    raise AssertionError(f"{call} was not refused")


def processes_of(server: LiveServer) -> Iterator[Path]:
    """The server's own place in /proc, and those of all that it started."""
    assert server.process is not None
    parents = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(place.name)] = int(place.joinpath("stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
    known, grown = {server.process.pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in known} - known
        known, grown = known | more, bool(more)
    yield from (Path(f"/proc/{pid}") for pid in known)


def is_in_sandbox(place: Path) -> bool:
    try:
        return (place / "ns" / "pid").readlink() != Path("/proc/self/ns/pid").readlink()
    except OSError:
        return True  # it has ended
