"""What stops the commands for resources."""


class Refusal(Exception):
    """The command can't do what was asked for, and has written nothing. The message is one line, the remedy first."""

    exit_code = 2


class StepFailed(Exception):
    """A step failed after the files were written, which stay. The message is one line: which step, and why."""

    exit_code = 1

    def __init__(self, message: str, output: str = "") -> None:
        """Take the message, and all that the step's command printed."""
        super().__init__(message)
        self.output = output
