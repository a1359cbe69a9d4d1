"""`lampion iam`: what a user, a role or a function may do, and what a function would have to be allowed."""

import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlencode

import click

from lampion.cli.client import Call, ask, failure_of, send
from lampion.cli.failure import ExitCode, Failure
from lampion.cli.location import Server, find_server
from lampion.cli.service_keys import service_key
from lampion.cli.terminal import shown

_ANSWER_SECONDS: Final = 10.0
_KINDS: Final = ("user", "role", "group")
_SPACE: Final = "{https://iam.amazonaws.com/doc/2010-05-08/}"


@click.group("iam")
def command() -> None:
    """Find out what policies allow, and let other programs call as services of AWS."""


command.add_command(service_key)


@command.command("explain")
@click.argument("who")
@click.argument("action")
@click.argument("resources", nargs=-1)
@click.option("--context", "pairs", multiple=True, metavar="KEY=VALUE", help="A condition key of the request.")
@click.option("--data", metavar="DIR", help="Data directory of the server to call.")
def explain(who: str, action: str, resources: tuple[str, ...], pairs: tuple[str, ...], data: str | None) -> int:
    """Say whether WHO may do ACTION, and which policy decides.

    WHO is a function's name, whose role is then asked, or user/NAME, role/NAME, group/NAME, or an ARN. RESOURCES are
    ARNs; without any, the action is asked of everything ("*"). Policies of the resources themselves aren't asked.
    The exit status is 6 if any of it is denied.

    \b
    Examples:
      lampion iam explain orders sqs:SendMessage arn:aws:sqs:us-east-1:123456789012:orders
      lampion iam explain user/ann lambda:InvokeFunction --context aws:SourceIp=192.0.2.1
    """
    server = find_server(data)
    arn = _arn(server, who)
    form = _form(arn, action, resources, pairs)
    results = list(_results(_asked(server, form)))
    for result in results:
        for line in _lines(arn, result):
            click.echo(shown(line, sys.stdout))
    is_allowed = all(_text(result, "EvalDecision") == "allowed" for result in results)
    return ExitCode.OK if is_allowed else ExitCode.ACCESS_DENIED


@command.command("suggest")
@click.argument("function")
@click.option("--data", metavar="DIR", help="Data directory of the server to call.")
def suggest(function: str, data: str | None) -> None:
    """Print the policy that allows what FUNCTION called since the server started, and nothing else.

    It holds the calls of all functions with the same role, refused ones too; those that were not made are missing. Run
    the function once with all it does, `--function-access all` lets it, and look through what is printed.

    \b
    Example:
      lampion iam suggest orders > policy.json
      aws iam put-role-policy --role-name orders --policy-name least --policy-document file://policy.json
    """
    call = Call("GET", ("_lampion", "calls", function))
    page = json.loads(ask(find_server(data), call, timeout_seconds=_ANSWER_SECONDS).body)
    if page["Policy"] is None:
        raise Failure(
            ExitCode.NOT_FOUND,
            f"{page['Role']} has called nothing since the server started",
            fix="Let the function do its work once, then ask again.",
        )
    click.echo(json.dumps(page["Policy"], indent=2))


def _arn(server: Server, who: str) -> str:
    if who.startswith("arn:"):
        return who
    if who.partition("/")[0] in _KINDS:
        identity = ET.fromstring(_asked(server, {"Action": "GetCallerIdentity", "Version": "2011-06-15"}, "sts"))  # noqa: S314
        account_id = next(one.text for one in identity.iter() if one.tag.endswith("}Account"))
        return f"arn:aws:iam::{account_id}:{who}"
    call = Call("GET", ("2015-03-31", "functions", who, "configuration"))
    return str(json.loads(ask(server, call, timeout_seconds=_ANSWER_SECONDS).body)["Role"])


def _form(arn: str, action: str, resources: Sequence[str], pairs: Sequence[str]) -> dict[str, str]:
    form = {"Action": "SimulatePrincipalPolicy", "Version": "2010-05-08", "PolicySourceArn": arn}
    form["ActionNames.member.1"] = action
    form |= {f"ResourceArns.member.{number}": one for number, one in enumerate(resources, 1)}
    for number, pair in enumerate(pairs, 1):
        key, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--context {pair!r} is not KEY=VALUE")
        entry = f"ContextEntries.member.{number}"
        form |= {f"{entry}.ContextKeyName": key, f"{entry}.ContextKeyValues.member.1": value}
        form[f"{entry}.ContextKeyType"] = "string"
    return form


def _asked(server: Server, form: dict[str, str], service: str = "iam") -> bytes:
    """Raises Failure."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    call = Call("POST", ("",), headers=headers, body=urlencode(form).encode(), service=service)
    answer = send(server, call, timeout_seconds=_ANSWER_SECONDS)
    if answer.status < 400:
        return answer.body
    failure = failure_of(answer)
    told = {one.tag.rpartition("}")[2]: one.text or "" for one in ET.fromstring(answer.body).iter()}  # noqa: S314
    code = ExitCode.NOT_FOUND if told.get("Code") == "NoSuchEntity" else failure.exit_code
    fix = (
        "A role that isn't in IAM here may nothing: aws iam create-role makes it." if code is ExitCode.NOT_FOUND else ""
    )
    raise Failure(code, f"{told.get('Code', failure.what)} ({answer.status})", why=told.get("Message", ""), fix=fix)


def _results(body: bytes) -> Iterator[ET.Element]:
    yield from ET.fromstring(body).iterfind(f".//{_SPACE}EvaluationResults/{_SPACE}member")  # noqa: S314


def _text(element: ET.Element, name: str) -> str:
    return element.findtext(f"{_SPACE}{name}") or ""


def _lines(arn: str, result: ET.Element) -> Iterator[str]:
    decision, action = _text(result, "EvalDecision"), _text(result, "EvalActionName")
    may = "may" if decision == "allowed" else "may not"
    yield f"{arn} {may} {action} on {_text(result, 'EvalResourceName')}"
    sources = [
        f"{_text(one, 'SourcePolicyId')} ({_text(one, 'SourcePolicyType')})"
        for one in result.iterfind(f"{_SPACE}MatchedStatements/{_SPACE}member")
    ]
    word = "allowed" if decision == "allowed" else "denied"
    if sources:
        yield f"  {word} by {', '.join(dict.fromkeys(sources))}"
    elif result.findtext(f".//{_SPACE}AllowedByPermissionsBoundary") == "false":
        yield "  no permissions boundary allows it"
    else:
        yield "  no policy allows it"
    missing = [one.text or "" for one in result.iterfind(f"{_SPACE}MissingContextValues/{_SPACE}member")]
    if missing and decision != "allowed":
        yield f"  policies look at what wasn't given: {', '.join(f'--context {key}=...' for key in missing)}"
