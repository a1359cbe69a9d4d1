"""What is said of a setting that can't be used."""


class SettingError(Exception):
    """A setting that can't be used. `source` is the option or variable that gave it."""

    def __init__(self, source: str, value: str, problem: str, fix: str) -> None:
        super().__init__(f"{source} {value!r}: {problem}. {fix}")
        self.source = source
        self.value = value
        self.problem = problem
        self.fix = fix
