"""Where a Ruby function's log records go, and what they look like: puts, Logger, text and JSON."""

import json
import re
from pathlib import Path

import pytest

from tests.component.python_runtime.fake_runtime_api import REQUEST_ID, Event
from tests.component.python_runtime.runtime_process import Ran
from tests.component.ruby_runtime.ruby_process import FRAME, handler, run_source

LINE = r"{letter}, \[\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}} #\d+\] {severity:>5} {id} -- {program}: {text}\n"


def line(severity: str, text: str, program: str = "") -> str:
    """A pattern of Ruby's own line with the request's id."""
    return LINE.format(letter=severity[0], severity=severity, id=REQUEST_ID, program=program, text=text)


def texts(ran: Ran) -> list[str]:
    assert {frame.kind for frame in ran.frames} <= {FRAME}
    return [frame.text for frame in ran.frames]


def test_what_is_put_is_one_event_however_many_lines_it_has(tmp_path: Path) -> None:
    body = 'puts "one\\ntwo"\nputs ["a", ["b", nil]], :c\nputs\nputs "three\\n"\nputs "\u00fc".freeze'
    ran = run_source(handler(body), tmp_path, telemetry=True)
    assert texts(ran) == ["one\ntwo\n", "a\nb\n\nc\n", "\n", "three\n", "\u00fc\n"]
    assert (ran.stdout, ran.stderr) == ("", "")


def test_a_handler_of_signals_may_put_as_well(tmp_path: Path) -> None:
    """AWS's samples for a graceful shutdown do; also in the midst of another event, which stays whole."""
    body = """
    trap('TERM') { puts 'trapped' }
    Process.kill(:TERM, Process.pid)
    sleep 0.01
    others = Thread.new { 20.times { Process.kill(:TERM, Process.pid); sleep 0.002 } }
    20.times { puts 'x' * 1_000_000 }
    others.join
    sleep 0.1
    """
    seen = texts(run_source(handler(body), tmp_path, telemetry=True))
    assert seen[0] == "trapped\n"
    assert seen.count("x" * 1_000_000 + "\n") == 20
    assert set(seen) == {"trapped\n", "x" * 1_000_000 + "\n"}
    assert seen.count("trapped\n") > 1


def test_all_else_goes_to_the_streams_at_once(tmp_path: Path) -> None:
    body = "$stdout.puts 'a'; print 'b'; $stdout.write 'c'; p :d; $stderr.puts 'e'; warn 'f'; STDOUT.puts 'g'; exit!"
    ran = run_source(handler(body), tmp_path, telemetry=True)
    assert (ran.stdout, ran.stderr, texts(ran)) == ("a\nbc:d\ng\n", "e\nf\n", [])


def test_what_is_put_once_the_pipe_is_closed_is_not_lost(tmp_path: Path) -> None:
    ran = run_source("at_exit { puts 'late' }\n" + handler("puts 'early'; exit"), tmp_path, telemetry=True)
    assert (texts(ran)[0], ran.stdout) == ("early\n", "late\n")


def test_without_the_platforms_pipe_all_goes_to_the_streams(tmp_path: Path) -> None:
    body = "puts 'put'\nLogger.new($stdout).info('logged')\nLogger.new($stderr).warn('too')"
    ran = run_source(handler(body), tmp_path)
    assert re.fullmatch("put\n" + line("INFO", "logged"), ran.stdout)
    assert re.fullmatch(line("WARN", "too"), ran.stderr)


def test_a_pipe_that_is_none_is_passed_over(tmp_path: Path) -> None:
    ran = run_source(handler("puts 'put'; exit!"), tmp_path, variables={"_LAMBDA_TELEMETRY_LOG_FD": "99"})
    assert ran.stdout == "put\n"


def test_the_pipe_is_not_the_functions_to_know(tmp_path: Path) -> None:
    ran = run_source(handler("puts ENV.key?('_LAMBDA_TELEMETRY_LOG_FD')"), tmp_path, telemetry=True)
    assert texts(ran) == ["false\n"]


def test_loggers_of_the_streams_mark_their_records_with_the_request(tmp_path: Path) -> None:
    body = """
    logger = Logger.new($stdout, progname: 'mine')
    logger.debug('d'); logger.info { "two\\nlines" }
    Logger.new($stderr).error(ArgumentError.new('bad'))
    Logger.new(nil).warn({a: 1})
    """
    ran = run_source(handler(body), tmp_path, telemetry=True)
    patterns = [
        line("DEBUG", "d", "mine"),
        line("INFO", "two\nlines", "mine"),
        line("ERROR", r"bad \(ArgumentError\)\n?"),
    ]
    found = texts(ran)
    assert all(re.fullmatch(*pair) for pair in zip(patterns, found, strict=False)), found
    assert re.fullmatch(line("WARN", r"\{(:a=>|a: )1\}"), found[3])


def test_loggers_of_files_and_with_a_format_of_their_own_keep_it(tmp_path: Path) -> None:
    body = """
    io = StringIO.new
    Logger.new(io).info('kept')
    own = Logger.new($stdout, formatter: ->(severity, _, _, message) { "#{severity} #{message}!" })
    own.info('mine')
    later = Logger.new($stdout)
    later.formatter = proc { |_, _, _, message| "later #{message}" }
    later.level = Logger::ERROR
    later.warn('unseen'); later.error('seen')
    puts io.string
    """
    kept_mine, seen, kept = texts(run_source(handler(body), tmp_path, telemetry=True))
    assert (kept_mine, seen) == ("INFO mine!", "later seen")
    assert REQUEST_ID not in kept
    assert kept.endswith("INFO -- : kept\n")


def test_json_records(tmp_path: Path) -> None:
    body = """
    logger = Logger.new($stdout)
    logger.info("two\\nlines \u00fc \\xff")
    logger.warn('mine') { {a: 1} }
    begin
      raise ArgumentError, 'bad'
    rescue => e
      logger.error(e)
    end
    puts 'plain'
    """
    ran = run_source(handler(body), tmp_path, telemetry=True, variables={"AWS_LAMBDA_LOG_FORMAT": "JSON"})
    *records, plain = texts(ran)
    assert plain == "plain\n"
    info, warning, error = [json.loads(record) for record in records]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", info.pop("timestamp"))
    assert info == {"level": "INFO", "message": "two\nlines \u00fc \ufffd", "requestId": REQUEST_ID}
    assert warning["logger"] == "mine"
    assert warning["message"] in ("{:a=>1}", "{a: 1}")
    assert (error["errorType"], error["errorMessage"], error["message"]) == ("ArgumentError", "bad", "bad")
    assert error["stackTrace"][0].startswith(f"{tmp_path}/function.rb:7:in ")
    assert re.fullmatch(rf"{tmp_path}/function\.rb:(Object#)?handler:7", error["location"])


def test_json_records_are_in_utc_and_tell_where_in_every_rubys_words(tmp_path: Path) -> None:
    """Ruby 3.4 quotes otherwise than those before, and names the class."""
    body = """
    %w[1 2].zip(["/a.rb:3:in `call'", "/a.rb:3:in 'Mine#call'"]) do |number, frame|
      error = RuntimeError.new(number)
      error.set_backtrace([frame])
      Logger.new($stdout).error(error)
    end
    Time.now.utc.strftime('%Y-%m-%dT%H')
    """
    variables = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "TZ": "Asia/Kolkata"}
    ran = run_source(handler(body), tmp_path, telemetry=True, variables=variables)
    records = [json.loads(record) for record in texts(ran)]
    assert [record["location"] for record in records] == ["/a.rb:call:3", "/a.rb:Mine#call:3"]
    hour = json.loads(ran.posts[-1].body)
    assert {record["timestamp"][:13] for record in records} <= {hour, f"{hour[:-2]}{int(hour[-2:]) - 1:02}"}


@pytest.mark.parametrize(
    ("level", "seen"),
    [("TRACE", "dief"), ("info", "ief"), ("FATAL", "f"), ("?", "dief")],
)
def test_the_functions_level_holds_for_loggers_that_set_none(tmp_path: Path, level: str, seen: str) -> None:
    body = """
    [Logger.new($stdout), Logger.new(StringIO.new), Logger.new($stdout, level: :debug)].each_with_index do |logger, n|
      logger.formatter = ->(_, _, _, message) { "#{n}#{message}" }
      logger.debug('d'); logger.info('i'); logger.error('e'); logger.fatal('f')
    end
    """
    ran = run_source(handler(body), tmp_path, telemetry=True, variables={"AWS_LAMBDA_LOG_LEVEL": level})
    assert "".join(texts(ran)) == "".join(f"0{letter}" for letter in seen) + "2d2i2e2f"


def test_the_request_of_a_record_is_the_one_being_served(tmp_path: Path) -> None:
    source = "$logger = Logger.new($stdout)\n$logger.info('at load')\n" + handler("$logger.info('called')")
    events = [Event(headers={"Lambda-Runtime-Aws-Request-Id": name}) for name in ("first", "second")]
    ran = run_source(source, tmp_path, *events, telemetry=True)
    assert [re.sub(r".* INFO ", "", text) for text in texts(ran)] == [
        " -- : at load\n",
        "first -- : called\n",
        "second -- : called\n",
    ]
