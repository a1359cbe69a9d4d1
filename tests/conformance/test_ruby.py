"""Ruby functions on a live server, by boto3: answers, log, errors, what the process finds around it."""

import base64
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.deployment import Functions, functions, zipped
from tests.live_server import LiveServer

RUNTIME = "ruby3.4"
"""Served by the Ruby that is here."""

ECHO = "def handler(event:, context:) = {heard: event}"


@pytest.fixture(scope="module")
def client(close_runtimes_server: LiveServer) -> Any:
    assert shutil.which("ruby") is not None, "run: make setup-ruby"
    return close_runtimes_server.client()


@pytest.fixture
def deploy(client: Any) -> Iterator[Functions]:
    with functions(client, "ruby") as made:
        yield made


def create(deploy: Functions, files: str | dict[str, str], **configuration: Any) -> str:
    source = {"function.rb": files} if isinstance(files, str) else files
    return deploy(source, **{"Runtime": RUNTIME, "Handler": "function.handler", **configuration})


def invoke(client: Any, name: str, event: object = None, **arguments: Any) -> tuple[Any, str, str | None]:
    """Payload, end of the log, FunctionError."""
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail", **arguments)
    log = base64.b64decode(answer["LogResult"]).decode()
    return json.loads(answer["Payload"].read()), log, answer.get("FunctionError")


def test_a_handler_answers_and_logs(client: Any, deploy: Functions) -> None:
    source = (
        "def handler(event:, context:)\n  puts 'one', 'two'\n  Logger.new($stdout).info('three')\n  {heard: event}\nend"
    )
    name = create(deploy, source)
    for number in range(3):
        payload, log, error = invoke(client, name, {"number": number, "text": "\u00fc"})
        assert (payload, error) == ({"heard": {"number": number, "text": "\u00fc"}}, None)
        request_id = log.partition("START RequestId: ")[2].partition(" ")[0]
        assert "\none\ntwo\n" in log
        assert f"  INFO {request_id} -- : three\n" in log


def test_an_error_and_the_next_call(client: Any, deploy: Functions) -> None:
    source = "def handler(event:, context:)\n  raise ArgumentError, 'no such luck' if event\n  Process.pid\nend"
    name = create(deploy, source)
    before, payload, after = (invoke(client, name, event) for event in (None, 1, None))
    assert (payload[0]["errorType"], payload[0]["errorMessage"]) == ("Function<ArgumentError>", "no such luck")
    assert payload[0]["stackTrace"][0].startswith("/var/task/function.rb:2:in ")
    assert payload[2] == "Unhandled"
    assert 'Error raised from handler method\n{\n  "errorMessage": "no such luck",\n' in payload[1]
    assert before[0] == after[0]


@pytest.mark.parametrize(
    ("body", "error_type"),
    [("nil.nothing", "Function<NoMethodError>"), ("exit 1", "Function<SystemExit>"), ("exit!(3)", "Runtime.ExitError")],
)
def test_a_process_that_ends_is_followed_by_another(client: Any, deploy: Functions, body: str, error_type: str) -> None:
    name = create(deploy, f"$calls = 0\ndef handler(event:, context:)\n  {body} if event\n  $calls += 1\nend")
    assert invoke(client, name)[0] == 1
    payload, _, error = invoke(client, name, 1)
    assert (error, payload["errorType"]) == ("Unhandled", error_type)
    if error_type == "Runtime.ExitError":
        assert "exit status 3" in payload["errorMessage"]
    assert invoke(client, name)[::2] == (1, None)


def test_code_that_cannot_be_loaded(client: Any, deploy: Functions) -> None:
    payload, log, error = invoke(client, create(deploy, "require 'not-there'"))
    assert (error, payload["errorType"]) == ("Unhandled", "Init<LoadError>")
    assert payload["errorMessage"] == "cannot load such file -- not-there"
    assert "Init error when loading handler" in log
    payload, _, _ = invoke(client, create(deploy, ECHO, Handler="function"))
    assert payload["errorType"] == "Init<ArgumentError>"


def test_a_timeout(client: Any, deploy: Functions) -> None:
    payload, _, error = invoke(client, create(deploy, "def handler(event:, context:) = sleep", Timeout=1))
    assert (error, payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")


def test_payloads_at_the_limit_and_beyond(client: Any, deploy: Functions) -> None:
    name = create(
        deploy, "def handler(event:, context:) = event.is_a?(Integer) ? 'x' * event : event.size", MemorySize=512
    )
    limit = 6 * 1024 * 1024
    assert invoke(client, name, "\u00fc" * 100_000)[0] == 100_000
    assert invoke(client, name, "x" * (limit - 2))[0] == limit - 2
    assert len(invoke(client, name, limit - 2)[0]) == limit - 2
    payload, _, error = invoke(client, name, limit + 1000)
    assert (error, payload["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")
    assert invoke(client, name, "still there")[0] == 11


def test_json_logs_with_a_level(client: Any, deploy: Functions) -> None:
    source = "def handler(event:, context:)\n  log = Logger.new($stdout)\n  log.info('unseen')\n  log.warn('seen')\nend"
    name = create(deploy, source, LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"})
    _, log, _ = invoke(client, name)
    own = [record for record in map(json.loads, log.splitlines()) if "level" in record]
    assert [(record["level"], record["message"]) for record in own] == [("WARN", "seen")]
    assert own[0]["requestId"]


def gem(root: str, name: str, version: str, code: str) -> dict[str, str]:
    members = f"s.name = '{name}'; s.version = '{version}'; s.summary = 'x'; s.authors = ['x']"
    return {
        f"{root}/specifications/{name}-{version}.gemspec": f"Gem::Specification.new {{ |s| {members} }}",
        f"{root}/gems/{name}-{version}/lib/{name}.rb": code,
    }


def test_gems_libraries_and_a_layer(client: Any, deploy: Functions) -> None:
    layer = {"ruby/lib/mine.rb": "MINE = 'of the layer'", **gem("ruby/gems/3.4.0", "two", "2.0", "TWO = 2")}
    arn = client.publish_layer_version(LayerName="gems", Content={"ZipFile": zipped(layer)})["LayerVersionArn"]
    files = {
        "function.rb": "require 'one'\nrequire 'two'\nrequire 'mine'\ndef handler(event:, context:) = [ONE, TWO, MINE]",
        **gem("vendor/bundle/ruby/3.4.0", "one", "1.0", "ONE = 1"),
    }
    name = create(deploy, files, Layers=[arn])
    assert invoke(client, name)[::2] == ([1, 2, "of the layer"], None)


@pytest.mark.parametrize(
    "files",
    [
        gem(
            "vendor/bundle/ruby/3.4.0", "json", "99.0", "OWN = 'json'\nrequire RbConfig::CONFIG['rubylibdir'] + '/json'"
        ),
        {"timeout.rb": "OWN = 'timeout'\nmodule Timeout; class Error < RuntimeError; end; end"},
    ],
    ids=["gem", "file"],
)
def test_what_a_function_brings_in_place_of_a_library_is_what_it_gets(
    client: Any, deploy: Functions, files: dict[str, str]
) -> None:
    """Though the process that it would have been given has the interpreter's loaded already."""
    name = create(deploy, {**files, "function.rb": "def handler(event:, context:) = StringIO.new(OWN.to_s.inspect)"})
    payload, log, error = invoke(client, name)
    assert (payload in ("json", "timeout"), error) == (True, None), (payload, log)


def test_an_exec_wrapper_puts_options_before_the_script(client: Any, deploy: Functions) -> None:
    wrapper = '#!/bin/bash\nexport WRAPPED=yes\nargs=("$@")\nexec "${args[@]:0:$#-1}" -W0 -rset "${args[@]: -1}"\n'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("function.rb", "def handler(event:, context:) = [ENV['WRAPPED'], $VERBOSE, ARGV, $0]")
        entry = zipfile.ZipInfo("wrapper")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, wrapper)
    name = create(deploy, ECHO, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}})
    client.update_function_code(FunctionName=name, ZipFile=buffer.getvalue())
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})
    assert invoke(client, name)[0] == ["yes", None, [], "/var/runtime/bootstrap.rb"]


LOOKS = r"""
AT_LOAD = [rand, Random.new_seed, Object.new.object_id.class]
def descriptors
  Dir.children("/proc/self/fd").map(&:to_i).sort.filter_map do |number|
    target = File.readlink("/proc/self/fd/#{number}")
    target.sub(/\d+/, "") unless target.start_with?("/proc")
  rescue SystemCallError
    nil
  end
end
def handler(event:, context:)
  child = fork { exit!(5) }
  status = Process.wait2(child)[1].exitstatus
  worker = Thread.new { Timeout.timeout(5) { `echo "$WORD" $PPID`.split } }.value
  {
    env: ENV.to_h, path: $LOAD_PATH, gems: Gem.path, argv: ARGV, zero: $0, cwd: Dir.pwd, descriptors: descriptors,
    encodings: [Encoding.default_external, Encoding.default_internal, Encoding.find("locale")].map(&:to_s),
    word: [ENV["WORD"].encoding.to_s, "x".encoding.to_s],
    constants: Object.constants.sort, threads: Thread.list.size, child: status,
    worker: worker == [ENV["WORD"], $$.to_s],
    traps: %w[TERM INT CHLD PIPE].map { |name| trap(name, "DEFAULT").to_s }, verbose: $VERBOSE, hour: Time.at(0).hour,
    features: $LOADED_FEATURES.reject { |feature| feature.start_with?("/var/runtime") }.sort,
    specs: Gem.loaded_specs.transform_values { |spec| spec.version.to_s }, globals: global_variables.sort,
    random: AT_LOAD[0..1], modules: Kernel.private_instance_methods(false).sort,
  }
end
"""
ANEW = {"RUBY_DESCRIPTION_SEEN": "only so that the process is started anew"}


def test_a_copy_of_a_waiting_process_is_as_one_that_was_started_for_the_function(
    client: Any, deploy: Functions
) -> None:
    variables = {"WORD": "gr\u00fcn", "TZ": "Asia/Tokyo"}
    copies = [create(deploy, LOOKS, Environment={"Variables": variables}) for _ in range(2)]
    started = create(deploy, LOOKS, Environment={"Variables": {**variables, **ANEW}})
    told, other, anew = (invoke(client, name)[0] for name in (*copies, started))
    assert told["hour"] == 9
    assert told["env"]["WORD"] == "gr\u00fcn"
    assert told["child"] == 5
    assert told["worker"] is True
    assert told.pop("random") != other["random"] != anew.pop("random")
    for each in (told, anew):
        for name in list(each["env"]):
            if name in ANEW or name.startswith(("AWS_", "_X_AMZN")):
                del each["env"][name]
        each["descriptors"] = sorted(each["descriptors"])
    assert told == anew


def test_without_a_file_system_of_its_own_a_function_finds_its_gems_as_well(
    start_server: Callable[..., LiveServer],
) -> None:
    client = start_server("--sandbox", "process", "--close-runtimes").client()
    layer = {"ruby/lib/mine.rb": "MINE = 'of the layer'", **gem("ruby/gems/3.4.0", "two", "2.0", "TWO = 2")}
    arn = client.publish_layer_version(LayerName="gems", Content={"ZipFile": zipped(layer)})["LayerVersionArn"]
    files = {
        "function.rb": "require 'one'\nrequire 'two'\nrequire 'mine'\n"
        "def handler(event:, context:) = [ONE, TWO, MINE, ENV['_LAMPION_LAYERS'], ENV['LC_CTYPE']]",
        **gem("vendor/bundle/ruby/3.4.0", "one", "1.0", "ONE = 1"),
    }
    with functions(client, "ruby") as deploy:
        assert invoke(client, create(deploy, files, Layers=[arn]))[0] == [1, 2, "of the layer", None, None]


def test_a_gem_of_the_interpreter_is_found_after_all_others(client: Any, deploy: Functions) -> None:
    """Also by a process that waited: what is among the interpreter's gems depends on its version."""
    own = gem("vendor/bundle/ruby/3.4.0", "rake", "99.0", "module Rake; VERSION = 'own'; end")
    function = "def handler(event:, context:) = Rake::VERSION"
    files = {"function.rb": f"require 'rake'\n{function}"}
    assert invoke(client, create(deploy, {**files, **own}))[0] == "own"
    payload, _, error = invoke(client, create(deploy, files))
    assert (payload != "own", error) == (True, None), payload
