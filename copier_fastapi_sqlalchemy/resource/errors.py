"""What the commands of a resource refuse."""


class Refusal(Exception):
    """What can't be done, in one line that begins with the remedy; nothing was written."""
