"""The two ways in which a command can fail politely.

Everything else that is raised is a defect of ours and shows its traceback; only an ``OSError``, in the words of
``explain``, and a lack of memory speak for the machine.
"""

import errno
import os
import re

WHAT_TO_DO = {
    errno.ENOSPC: "free some space and try again",
    errno.EDQUOT: "free some space and try again",
    errno.EROFS: "name a place that can be written to",
    errno.EACCES: "change its permissions, or name another place",
    errno.EPERM: "change its permissions, or name another place",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.EIO: "check the disk",
    errno.ENOENT: "check the name",
    errno.ENAMETOOLONG: "choose a shorter one",
    errno.EISDIR: "a file is needed in this place",
    errno.ENOTDIR: "a folder is needed where a file stands",
    errno.EEXIST: "a folder is needed where a file stands",
}

OUT_OF_MEMORY = re.compile(r"out of memory|not enough memory|can.?t allocate memory|ALLOC_FAILED")
"""What PyTorch and the libraries of accelerators say of it, in a ``RuntimeError``."""

LONGEST_QUOTE = 60


class BuddyError(Exception):
    """A failure whose message is one sentence: what is wrong and what to do about it."""

    exit_code = 1


class UserMistake(BuddyError):
    """What was asked for cannot be done: a wrong path, an unknown column, a file of the wrong kind."""

    exit_code = 2


class EnvironmentFault(BuddyError):
    """The request is fine and the machine is not: a full disk, a folder that may not be written, no network."""

    exit_code = 1


def quote(text: str) -> str:
    """Quote what a stranger wrote, so that a sentence stays one that can be read.

    Example:
        >>> quote("sad"), len(quote("sad " * 1000)) < 70
        ("'sad'", True)
    """
    return repr(text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…")


def counted(count: int, noun: str) -> str:
    """Put a number before its noun.

    Example:
        >>> counted(1, "row"), counted(1200, "row")
        ('1 row', '1,200 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def install(extra: str) -> str:
    """Say how more of buddy is installed.

    Example:
        >>> install("serve")
        "pip install --constraint constraints.txt '.[serve]' in buddy's folder"
    """
    return f"pip install --constraint constraints.txt '.[{extra}]' in buddy's folder"


def is_out_of_memory(error: BaseException | None) -> bool:
    """Tell whether memory ran out, of the machine or of an accelerator.

    An error that was raised from such a one counts, too: whoever reads a file takes any failure for a damaged one.

    Example:
        >>> is_out_of_memory(RuntimeError("CUDA out of memory.")), is_out_of_memory(RuntimeError("no such layer"))
        (True, False)
    """
    if error is None:
        return False
    is_told = isinstance(error, RuntimeError) and OUT_OF_MEMORY.search(str(error)) is not None
    return isinstance(error, MemoryError) or is_told or is_out_of_memory(error.__cause__)


def explain(error: OSError) -> str:
    """Say what the machine refused and what to do about it, without a full stop.

    Example:
        >>> explain(OSError(errno.ENOSPC, "No space left on device", "runs/emotion"))
        'No space left on device; free some space and try again'
    """
    reason = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
    advice = WHAT_TO_DO.get(error.errno or 0)
    return f"{reason}; {advice}" if advice else reason
