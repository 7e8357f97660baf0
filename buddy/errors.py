"""The two ways in which a command can fail politely.

Everything else that is raised is a defect of ours and shows its traceback.
"""


class BuddyError(Exception):
    """A failure whose message is one sentence: what is wrong and what to do about it."""

    exit_code = 1


class UserMistake(BuddyError):
    """What was asked for cannot be done: a wrong path, an unknown column, a file of the wrong kind."""

    exit_code = 2


class EnvironmentFault(BuddyError):
    """The request is fine and the machine is not: a full disk, a folder that may not be written, no network."""

    exit_code = 1
