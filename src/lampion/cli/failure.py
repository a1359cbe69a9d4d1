"""How a command ends when it can't do its work: what, why, how to fix it, and the exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What scripts may rely on; documented in docs/reference/exit-codes.md."""

    OK = 0
    FUNCTION_ERROR = 1
    USAGE = 2
    NOT_FOUND = 3
    THROTTLED = 4
    TIMEOUT = 5
    ACCESS_DENIED = 6
    UNREACHABLE = 7
    SERVER_ERROR = 8
    NOT_INSTALLED = 9
    BUG = 70
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.OK: "The command did what it was asked.",
    ExitCode.FUNCTION_ERROR: "The function ran and failed; its error is on stdout.",
    ExitCode.USAGE: "The command line, a setting or the request isn't valid.",
    ExitCode.NOT_FOUND: "There is no such function, version, log or queue.",
    ExitCode.THROTTLED: "The invocation was throttled; try again.",
    ExitCode.TIMEOUT: "The function ran into its timeout, or the server didn't answer in time.",
    ExitCode.ACCESS_DENIED: "The server refused the signature or the caller; or policies deny what was asked about.",
    ExitCode.UNREACHABLE: "No server was found or reached.",
    ExitCode.SERVER_ERROR: "The server failed, is failing, or doesn't offer this yet.",
    ExitCode.NOT_INSTALLED: "What was to be installed was not; the installer's own words are shown.",
    ExitCode.BUG: "A fault of Lampion itself; LAMPION_DEBUG=1 shows where.",
    ExitCode.INTERRUPTED: "Ended by Ctrl-C.",
}


class Failure(Exception):
    """Shown as three lines on stderr: what went wrong, why, and how to mend it."""

    def __init__(self, exit_code: ExitCode, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.exit_code = exit_code
        self.what = what
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        lines = [f"lampion: {self.what}"]
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)
