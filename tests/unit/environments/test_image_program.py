"""What an image's function runs, of the image and of ImageConfig."""

import pytest

from lampion.code.images.manifests import ImageConfig
from lampion.environments.endings import NoProgram
from lampion.environments.image_program import ImageProgram, LaunchFailed, image_program
from lampion.sandbox.driver import ProgramError, WorkingDirectoryError

IMAGE = ImageConfig(
    architecture="x86_64",
    diff_ids=(),
    entrypoint=("/entry", "--now"),
    command=("app.handler",),
    environment=("A=1", "B", "C=x=y", "=nameless"),
    working_directory="/var/task",
)
USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def argv(program: ImageProgram, *programs: str, path: str = "/bin:/usr/bin") -> tuple[str, ...]:
    return program.argv({"PATH": path}, lambda name: name in programs)


@pytest.mark.parametrize(
    ("override", "words", "directory", "handler"),
    [
        (None, ("/entry", "--now", "app.handler"), "/var/task", "app.handler"),
        ({}, ("/entry", "--now", "app.handler"), "/var/task", "app.handler"),
        ({"Command": ["other", "x"]}, ("/entry", "--now", "other", "x"), "/var/task", "other"),
        ({"EntryPoint": ["/mine"]}, ("/mine", "app.handler"), "/var/task", "app.handler"),
        ({"EntryPoint": [], "Command": []}, ("/entry", "--now", "app.handler"), "/var/task", "app.handler"),
        ({"WorkingDirectory": "/a//b/./c/.."}, ("/entry", "--now", "app.handler"), "/a/b", "app.handler"),
        ({"EntryPoint": ["./run"]}, ("/var/task/./run", "app.handler"), "/var/task", "app.handler"),
    ],
)
def test_image_config_wins_member_by_member(
    override: dict[str, object] | None, words: tuple[str, ...], directory: str, handler: str
) -> None:
    program = image_program(IMAGE, override)
    assert (argv(program), program.working_directory, program.handler) == (words, directory, handler)


def test_the_images_variables_are_taken_and_a_path_is_always_there() -> None:
    assert image_program(IMAGE, None).environment == {"A": "1", "B": "", "C": "x=y", "PATH": USUAL_PATH}
    own = ImageConfig("x86_64", (), environment=("PATH=/own",))
    assert image_program(own, None).environment == {"PATH": "/own"}
    assert image_program(own, None).working_directory == "/"


def test_a_program_without_a_slash_is_looked_for_on_the_path() -> None:
    program = image_program(IMAGE, {"EntryPoint": ["run"]})
    assert argv(program, "/bin/run", "/usr/bin/run")[0] == "/bin/run"
    assert argv(program, "/usr/bin/run")[0] == "/usr/bin/run"
    assert argv(program, "/var/task/rel/run", path="rel")[0] == "/var/task/rel/run"
    with pytest.raises(LaunchFailed) as raised:
        argv(program)
    assert raised.value.ending == NoProgram(
        "Runtime.InvalidEntrypoint", 'exec: "run": executable file not found in $PATH'
    )


def test_without_any_command_the_bootstrap_is_run() -> None:
    program = image_program(ImageConfig("x86_64", ()), None)
    assert argv(program, "/var/task/bootstrap", "/opt/bootstrap") == ("/var/task/bootstrap",)
    with pytest.raises(LaunchFailed, match="Couldn't find valid bootstrap"):
        argv(program)


def test_what_the_sandbox_could_not_start_is_explained_in_awss_words() -> None:
    program = image_program(IMAGE, {"Command": ["a", "b"]})
    failed = program.explained(ProgramError("Exec format error", ""), "/entry")
    assert failed.ending == NoProgram("Runtime.InvalidEntrypoint", "fork/exec /entry: exec format error")
    assert failed.line == (
        "IMAGE\tLaunch error: fork/exec /entry: exec format error\tEntrypoint: [/entry,--now]\tCmd: [a,b]"
        "\tWorkingDir: [/var/task]"
    )
    failed = program.explained(WorkingDirectoryError("No such file or directory", ""), "/entry")
    assert failed.ending == NoProgram("Runtime.InvalidWorkingDir", "chdir /var/task: no such file or directory")


def test_a_working_directory_is_absolute() -> None:
    image_program(IMAGE, None).check()
    with pytest.raises(LaunchFailed, match="the working directory 'app' is invalid, it needs to be an absolute path"):
        image_program(IMAGE, {"WorkingDirectory": "app"}).check()


@pytest.mark.parametrize("member", ["EntryPoint", "Command"])
def test_words_that_no_process_can_have_are_the_images_fault(member: str) -> None:
    with pytest.raises(LaunchFailed) as raised:
        image_program(IMAGE, {member: ["a\0b"]}).check()
    assert raised.value.ending == NoProgram("Runtime.InvalidEntrypoint", "invalid argument")
