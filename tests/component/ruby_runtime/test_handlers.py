"""What Ruby functions may be, get and answer: the contract of AWS's runtime client (aws_lambda_ric)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.component.python_runtime.fake_runtime_api import DEADLINE_MS, FUNCTION_ARN, REQUEST_ID, Event
from tests.component.ruby_runtime.ruby_process import answer, handler, paths, run_source

CLASSES = """
class Greeter
  def self.greet(event:, context:) = "class #{event["n"]}"
end
module Deep
  class Greeter
    def self.greet(event:, context:) = "deep #{event["n"]}"
  end
  def self.greet(context:, event:) = "module #{event["n"]}"
end
def any(**arguments) = arguments.keys
def hash(arguments) = arguments.keys
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("code.Greeter.greet", "class 1"),
        ("code.Deep::Greeter.greet", "deep 1"),
        ("code.Deep.greet", "module 1"),
        ("code.any", ["event", "context"]),
        ("code.hash", ["event", "context"]),
        ("lib/inner.handler", "inner"),
    ],
)
def test_a_handler_is_a_method_of_a_file_a_class_or_a_module(tmp_path: Path, name: str, expected: object) -> None:
    files = {
        "code.rb": CLASSES,
        "lib/inner.rb": handler("require_relative '../word'; WORD"),
        "word.rb": "WORD = 'inner'",
    }
    assert answer(run_source(files, tmp_path, Event(b'{"n": 1}'), handler=name)) == expected


def test_what_an_invocation_leaves_is_there_for_the_next(tmp_path: Path) -> None:
    source = "$loads = ($loads || 0) + 1\n" + handler("@calls = (@calls || 0) + 1\n[$loads, @calls, self.class.name]")
    ran = run_source(source, tmp_path, Event(), Event(), Event())
    assert [json.loads(post.body) for post in ran.posts] == [[1, number, "LambdaHandler"] for number in (1, 2, 3)]


def test_an_event_comes_back_as_it_was_sent(tmp_path: Path) -> None:
    bodies = [b'{"a": [1, 2.5, null, true, "\xc3\xbc\\u00e9\\ud83d\\ude00"]}', b"[]", b"null", b'"x"', b"0.1"]
    ran = run_source(handler("event"), tmp_path, *map(Event, bodies))
    assert [json.loads(post.body) for post in ran.posts] == [json.loads(body) for body in bodies]


def test_an_event_of_another_type_is_its_text(tmp_path: Path) -> None:
    ran = run_source(handler("[event.class, event]"), tmp_path, Event(b"{not json", {"Content-Type": "text/plain"}))
    assert answer(ran) == ["String", "{not json"]


def test_the_context_has_all_members(tmp_path: Path) -> None:
    body = """
    members = %i[aws_request_id invoked_function_arn log_group_name log_stream_name function_name memory_limit_in_mb
                 function_version identity tenant_id client_context deadline_ms w3c]
    left = context.get_remaining_time_in_millis
    members.to_h { |name| [name, context.public_send(name)] }.merge(left: left, class: context.class.name)
    """
    context = {
        "client": {"app_title": "ü"},
        "custom": {"a": 1},
        "w3c": {"traceparent": "00-x", "baggage": 3, "other": "x"},
    }
    headers = {
        "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}',
        "Lambda-Runtime-Client-Context": json.dumps(context),
        "Lambda-Runtime-Aws-Tenant-Id": "blue",
    }
    full: dict[str, Any] = answer(run_source(handler(body), tmp_path, Event(headers=headers)))
    assert 0 < full.pop("left") < DEADLINE_MS
    assert full == {
        "aws_request_id": REQUEST_ID,
        "invoked_function_arn": FUNCTION_ARN,
        "log_group_name": "/aws/lambda/table",
        "log_stream_name": "2026/11/21/[$LATEST]0123456789abcdef0123456789abcdef",
        "function_name": "table",
        "memory_limit_in_mb": "128",
        "function_version": "$LATEST",
        "identity": {"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"},
        "tenant_id": "blue",
        "client_context": {"client": {"app_title": "ü"}, "custom": {"a": 1}},
        "deadline_ms": DEADLINE_MS,
        "w3c": {"traceparent": "00-x"},
        "class": "LambdaContext",
    }
    late = {"Lambda-Runtime-Deadline-Ms": "1", "Lambda-Runtime-Aws-Tenant-Id": ""}
    bare = answer(run_source(handler(body), tmp_path, Event(headers=late)))
    assert [bare[name] for name in ("identity", "tenant_id", "client_context", "w3c", "left")] == [
        None,
        None,
        None,
        {},
        0,
    ]


def test_what_a_function_does_to_its_trace_context_stays_its_own(tmp_path: Path) -> None:
    headers = {"Lambda-Runtime-Client-Context": '{"w3c": {"traceparent": "00-x"}}'}
    ran = run_source(handler("context.w3c.clear; context.w3c"), tmp_path, Event(headers=headers))
    assert answer(ran) == {"traceparent": "00-x"}


def test_the_trace_of_an_invocation_is_in_its_variable(tmp_path: Path) -> None:
    events = [Event(headers={"Lambda-Runtime-Trace-Id": f"Root={number}"}) for number in (1, 2)]
    ran = run_source(handler("ENV['_X_AMZN_TRACE_ID']"), tmp_path, *events)
    assert [json.loads(post.body) for post in ran.posts] == ["Root=1", "Root=2"]


ANSWERS = {
    "StringIO.new('<p>')": (b"<p>", "application/unknown"),
    "File.open(__FILE__)": (b"def handler", "application/unknown"),
    "{a: 1, 'b' => nil, c: [1.5, :d]}": (b'{"a":1,"b":null,"c":[1.5,"d"]}', "application/json"),
    "nil": (b"null", "application/json"),
    "'\u00fc'": ('"\u00fc"'.encode(), "application/json"),
    "Time.at(0).utc": (b'"1970-01-01 00:00:00 UTC"', "application/json"),
}


def test_answers_are_json_but_what_can_be_read_is_as_it_is(tmp_path: Path) -> None:
    source = handler("eval(event, binding, __FILE__)")
    ran = run_source(source, tmp_path, *(Event(json.dumps(value).encode()) for value in ANSWERS))
    for post, (body, content_type) in zip(ran.posts, ANSWERS.values(), strict=True):
        assert post.path.endswith(f"/invocation/{REQUEST_ID}/response")
        assert post.headers["content-type"] == content_type
        assert post.body.startswith(body)


def test_functions_may_write_and_read_bodies_in_their_own_way(tmp_path: Path) -> None:
    source = """
    class AwsLambda::Marshaller
      def self.marshall_request(raw) = [raw['Content-Type'], raw.body]
      def self.marshall_response(value) = [StringIO.new(value), 'application/unknown']
    end
    """ + handler("event.join('|')")
    ran = run_source(source, tmp_path, Event(b"xyz", {"Content-Type": "text/x"}))
    assert (ran.posts[0].body, ran.posts[0].headers["content-type"]) == (b"text/x|xyz", "application/unknown")


@pytest.mark.parametrize("options", [{"closes_after_each_post": True}, {"piece_bytes": 3}, {}])
def test_large_and_chunked_bodies_arrive_however_the_runtime_api_sends(tmp_path: Path, options: dict[str, Any]) -> None:
    text = json.dumps("ü" * (100 if options.get("piece_bytes") else 300_000)).encode()
    events = [Event(text), Event(text, is_chunked=len(text) < 10_000), Event(text)]
    ran = run_source(handler("event"), tmp_path, *events, api_options=options)
    assert [json.loads(post.body) for post in ran.posts] == [json.loads(text)] * 3


def test_what_aws_has_loaded_needs_no_require(tmp_path: Path) -> None:
    names = "JSON Logger Net::HTTP URI StringIO Time Socket Timeout Gem Date"
    ran = run_source(handler(f"%w[{names}].map {{ |name| Object.const_get(name).to_s }}"), tmp_path)
    assert answer(ran) == names.split()


def specification(name: str, version: str) -> str:
    members = f"s.name = '{name}'; s.version = '{version}'; s.summary = 'x'; s.authors = ['x']"
    return f"Gem::Specification.new {{ |s| {members} }}"


def test_gems_of_the_function_and_of_layers_are_found_the_functions_first(tmp_path: Path) -> None:
    def gem(root: str, name: str, version: str) -> dict[str, str]:
        return {
            f"{root}/specifications/{name}-{version}.gemspec": specification(name, version),
            f"{root}/gems/{name}-{version}/lib/{name}.rb": f"{name.upper()} = '{root} {version}'",
        }

    files = {
        "function.rb": "require 'one'\nrequire 'two'\nrequire 'mine'\n" + handler("[ONE, TWO, MINE]"),
        "opt/lib/mine.rb": "MINE = 'from RUBYLIB'",
        **gem("vendor", "one", "1.0"),
        **gem("opt/gems", "two", "2.5"),
    }
    variables = {
        "GEM_PATH": f"{tmp_path}/vendor:{tmp_path}/opt/gems",
        "GEM_HOME": "/var/runtime",
        "RUBYLIB": f"{tmp_path}:{tmp_path}/opt/lib",
    }
    ran = run_source(files, tmp_path, variables=variables)
    assert answer(ran) == ["vendor 1.0", "opt/gems 2.5", "from RUBYLIB"]


def test_bundler_sets_up_what_was_vendored(tmp_path: Path) -> None:
    lock = "GEM\n  specs:\n    one (1.0)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  one\n"
    files = {
        "Gemfile": "gem 'one'\n",
        "Gemfile.lock": lock,
        "function.rb": "require 'bundler/setup'\nBundler.require\n"
        + handler("[ONE, Bundler.definition.specs.map(&:name)]"),
        "vendor/specifications/one-1.0.gemspec": specification("one", "1.0"),
        "vendor/gems/one-1.0/lib/one.rb": "ONE = 1",
    }
    ran = run_source(
        files, tmp_path, variables={"GEM_PATH": f"{tmp_path}/vendor", "GEM_HOME": str(tmp_path / "vendor")}
    )
    value, names = answer(ran)
    assert value == 1
    assert "one" in names


def test_the_runtime_api_going_away_ends_the_process_in_peace(tmp_path: Path) -> None:
    ran = run_source("at_exit { $stdout.puts 'at exit' }\n" + handler("1"), tmp_path, drop=True)
    assert (ran.exit_status, ran.stdout, ran.stderr, paths(ran)) == (0, "at exit\n", "", ["response"])


@pytest.mark.parametrize("encoding", ["C.utf8", "C.UTF-8"])
def test_strings_of_the_system_are_utf_8_and_the_borrowed_locale_is_not_seen(tmp_path: Path, encoding: str) -> None:
    body = "[Encoding.default_external, ENV['WORD'].encoding, ENV['WORD']].map(&:to_s) << ENV['LC_CTYPE']"
    variables = {"LANG": "en_US.UTF-8", "LC_CTYPE": encoding, "WORD": "gr\u00fcn"}
    told = answer(run_source(handler(body), tmp_path, variables=variables))
    assert told == ["UTF-8", "UTF-8", "gr\u00fcn", None if encoding == "C.utf8" else encoding]
