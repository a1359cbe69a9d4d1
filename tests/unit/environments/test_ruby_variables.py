"""Ruby's environment as AWS's bootstrap makes it, and which functions can have a process that was started before."""

import pytest

from lampion.environments.environ import OVERRIDABLE
from lampion.environments.ruby_variables import WAITING_RUBY, can_use_ruby_zygote, ruby_variables

OWN = dict(OVERRIDABLE)


def test_gems_and_libraries_are_where_aws_has_them() -> None:
    complete = ruby_variables("3.4", OWN)
    assert complete["GEM_HOME"] == "/var/runtime"
    assert complete["GEM_PATH"] == (
        "/var/task/vendor/bundle/ruby/3.4.0:/opt/ruby/gems/3.4.0:/var/runtime:/var/runtime/ruby/3.4.0"
    )
    assert complete["RUBYLIB"].endswith("/lib:/var/task:/var/runtime/lib:/opt/ruby/lib")
    assert complete.items() >= {"LANG": "en_US.UTF-8", "TZ": ":UTC"}.items()


def test_what_a_function_sets_holds_and_rubys_own_programs_come_first() -> None:
    own = {**OWN, "GEM_PATH": "/x", "RUBYLIB": "/y", "GEM_HOME": "/z", "PATH": "/p", "LD_LIBRARY_PATH": "/l"}
    complete = ruby_variables("3.3", own)
    assert [complete[name] for name in ("GEM_PATH", "RUBYLIB", "GEM_HOME")] == ["/x", "/y", "/z"]
    assert (complete["PATH"], complete["LD_LIBRARY_PATH"]) == ("/var/lang/bin:/p", "/var/lang/lib:/l")


@pytest.mark.parametrize(
    ("variables", "locale"),
    [
        ({}, "C.utf8"),
        ({"LANG": "C"}, None),
        ({"LC_ALL": "C"}, None),
        ({"LC_CTYPE": "ja_JP.EUC-JP"}, "ja_JP.EUC-JP"),
    ],
)
def test_a_locale_that_every_machine_has_stands_for_the_one_of_aws(
    variables: dict[str, str], locale: str | None
) -> None:
    assert ruby_variables("3.4", {**OWN, **variables}).get("LC_CTYPE") == locale


@pytest.mark.parametrize(
    ("variables", "is_served"),
    [
        ({}, True),
        ({"TZ": "Asia/Tokyo", "RUBYLIB": "/opt/lib", "GEM_PATH": "/x", "BUNDLE_GEMFILE": "/x", "PATH": "/x"}, True),
        ({"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}, False),
        ({"RUBYOPT": "--yjit"}, False),
        ({"RUBY_GC_HEAP_INIT_SLOTS": "1"}, False),
        ({"RUBYGEMS_GEMDEPS": "-"}, False),
        ({"LD_PRELOAD": "/opt/x.so"}, False),
        ({"LD_PRELOAD": WAITING_RUBY["LD_PRELOAD"]}, False),
        ({"LD_LIBRARY_PATH": "/var/task/lib"}, False),
        ({"LANG": "C"}, False),
        ({"LC_ALL": "C"}, False),
        ({"MALLOC_ARENA_MAX": "2"}, False),
    ],
)
def test_a_copy_serves_who_wants_nothing_else_of_its_start(variables: dict[str, str], is_served: bool) -> None:
    assert can_use_ruby_zygote(ruby_variables("3.4", {**OWN, **variables})) is is_served
