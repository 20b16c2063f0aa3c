"""What the commands for resources can't do."""


class Refusal(Exception):
    """The command can't do what was asked for, and has written nothing. The message is one line, the remedy first."""

    exit_code = 2
